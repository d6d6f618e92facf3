package telemetry

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
)

// HistorySize is about how large the history of one agent becomes on the disk, in bytes.
const HistorySize = 16 << 20

// History is the transition log that every agent writes. It is bounded, and the events of
// an idle worker that repeat are one record with their number: a fleet that polls for a
// night does not push out what happened before. It is not synced, and writes nothing while
// nothing happens. Its methods may be called concurrently.
type History struct {
	path string
	log  *TransitionLog

	mu     sync.Mutex
	folder *folder
}

// OpenHistory opens the history that begins or continues in the file at path; see
// OpenTransitionLog. The caller closes it.
func OpenHistory(path, version string, logger *zap.Logger) (*History, error) {
	log, err := OpenTransitionLog(path, HistorySize/(1+olderFiles), version, logger)
	if err != nil {
		return nil, fmt.Errorf("history of the workers: %w", err)
	}
	return &History{path: path, log: log, folder: newFolder()}, nil
}

// Record adds a record. It does not block. It must not be called after Close.
func (h *History) Record(r fsm.Record) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.folder.add(r, h.log.Record)
}

// Flush writes what is held back, and returns when everything is in the files.
func (h *History) Flush() {
	h.mu.Lock()
	h.folder.flush(h.log.Record)
	h.mu.Unlock()
	h.log.flush()
}

// Close writes everything, and closes the files.
func (h *History) Close() {
	h.Flush()
	h.log.Close()
}

// ReadHistory returns the texts of the files of the history at path, the oldest first,
// without empty ones; none if nothing was recorded. The agent may run: a file that it
// renames meanwhile is neither missed nor returned twice.
func ReadHistory(path string) (texts [][]byte, err error) {
	var files []*os.File
	defer func() {
		for _, file := range files {
			err = errors.Join(err, file.Close())
		}
	}()
	for i := range olderFiles + 1 { // the newest first: a file gets a greater number when it is renamed
		file, err := os.Open((&transitionFile{path: path}).olderPath(i))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("reading the history: %w", err)
		}
		files = append(files, file)
	}
	var newer fs.FileInfo
	for _, file := range files {
		info, err := file.Stat()
		if err != nil {
			return nil, fmt.Errorf("reading the history: %w", err)
		}
		if newer != nil && os.SameFile(info, newer) {
			continue
		}
		newer = info
		text, err := io.ReadAll(io.LimitReader(file, info.Size()))
		if err != nil {
			return nil, fmt.Errorf("reading the history: %w", err)
		}
		if len(text) > 0 {
			texts = append(texts, text)
		}
	}
	slices.Reverse(texts)
	return texts, nil
}

// Save writes the whole history to a new temporary file and returns its path.
func (h *History) Save() (path string, err error) {
	h.Flush()
	texts, err := ReadHistory(h.path)
	if err != nil {
		return "", err
	}
	return saveTemporary("history", bytes.Join(texts, nil))
}
