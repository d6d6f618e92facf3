package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.uber.org/zap"
)

// The embedded server collects a batch in files of its own before it stores the messages
// in the stream: some 40 system calls and five syncs for each batch. It needs
// those files to complete a batch after a crash. Here no message of a batch depends on
// another, and none is acknowledged before the stream itself is synced, so nothing is
// lost with them: on Linux they are in memory.
const (
	// batchFolder is the folder of a stream in which the server collects its batches.
	batchFolder = "batches"
	// stagingPrefix begins the names of our folders in memory.
	stagingPrefix = "switchyard-batches-"
)

// batches returns the path of the folder in which the server collects the batches of the
// state.
func (e *embedded) batches() string {
	const account = "$G"
	return filepath.Join(e.dir, "jetstream", account, "streams", stateStream, batchFolder)
}

// stagingName returns the beginning of the names of the folders in memory of this data
// directory: a copy of the directory has a link to a folder that another server may use.
func (e *embedded) stagingName() string {
	dir, err := filepath.Abs(e.dir)
	if err != nil {
		dir = e.dir
	}
	const digits = 16
	hash := sha256.Sum256([]byte(dir))
	return stagingPrefix + hex.EncodeToString(hash[:])[:digits] + "-"
}

// stagedBatches returns the folder in memory in which the server collects its batches, or
// a server that was killed has, or "".
func (e *embedded) stagedBatches() string {
	folder, err := os.Readlink(e.batches())
	if err != nil || filepath.Dir(folder) != memoryFolder() || !strings.HasPrefix(filepath.Base(folder), e.stagingName()) {
		return ""
	}
	return folder
}

// dropForeignBatches removes a link to a folder in which others could have put batches, which
// the server would complete: after a restart of the machine the folder is gone, and every
// user can make another one with its name.
func (e *embedded) dropForeignBatches() error {
	folder, err := os.Readlink(e.batches())
	if err != nil || isPrivateFolder(folder) {
		return nil //nolint:nilerr // there is not a link
	}
	if err := os.Remove(e.batches()); err != nil {
		return fmt.Errorf("removing a link to a folder of batches that is gone, or not of this user alone: %w", err)
	}
	return nil
}

// stage has the server collect its batches in memory from the first one on, if the system
// has a folder in memory with room for them; else they stay on disk. The caller must have
// no batch on its way.
func (e *embedded) stage() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.triedToStage || e.server == nil {
		return
	}
	e.triedToStage = true
	memory := memoryFolder()
	if memory == "" {
		return
	}
	var err error
	if e.staging, err = e.linkBatches(memory); err != nil {
		e.logger.Info("batches of writes are collected on disk, which is slower", zap.Error(err))
	}
}

// linkBatches replaces the folder of batches by a link to one in memory, which it returns.
func (e *embedded) linkBatches(memory string) (folder string, err error) {
	free, err := freeBytes(memory)
	if err == nil && free < minBatchRoom {
		err = fmt.Errorf("%d bytes are free, want %d", free, int64(minBatchRoom))
	}
	if err != nil {
		return "", fmt.Errorf("looking for room in %s: %w", memory, err)
	}
	// This fails if the server has given up a batch that is in the folder.
	if err := os.Remove(e.batches()); err != nil && !os.IsNotExist(err) {
		return "", err //nolint:wrapcheck // it names the folder
	}
	folder, err = os.MkdirTemp(memory, e.stagingName()) // for its owner only
	if err != nil {
		return "", err //nolint:wrapcheck // it names the folder
	}
	if err := os.Symlink(folder, e.batches()); err != nil {
		return "", errors.Join(err, os.Remove(folder))
	}
	return folder, nil
}

// unstage removes the folder in memory once the server has stopped, unless a batch was
// given up in it: the next start completes that, and removes the folder.
func (e *embedded) unstage() {
	if folder := e.stagedBatches(); folder != "" && os.Remove(folder) == nil {
		_ = os.Remove(e.batches()) // the next start removes it otherwise
	}
}

// roomForBatch reports whether there is room for a batch, on disk and where it is
// collected.
func (e *embedded) roomForBatch() bool {
	folders := []string{e.dir}
	e.mu.Lock()
	if e.staging != "" {
		folders = append(folders, e.staging)
	}
	e.mu.Unlock()
	for _, folder := range folders {
		if free, err := freeBytes(folder); err == nil && free < minBatchRoom {
			return false
		}
	}
	return true
}
