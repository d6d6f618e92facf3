package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/gofrs/flock"
	"go.uber.org/zap"
)

// Entry is one job in the spool, held by this process. Append, Read and Discard may
// be called concurrently; all other methods only one at a time.
type Entry struct {
	// Job is the job's record. It does not change.
	Job Job

	dir    string
	logger *zap.Logger
	lock   *flock.Flock

	// What another process left; see Chunks and Result.
	chunks []Chunk
	lost   int
	result *Result

	synced chan error // receives the result of the sync that fill starts; nil once it was received

	mu        sync.Mutex
	file      *os.File // of the newest chunk, while it is written
	newest    Chunk
	discarded bool // the newest chunk
}

// fill writes the files of a new job. They are synced in the background: only a
// power failure could undo them before the job ends, and it would end the job too.
func (e *Entry) fill() error {
	e.lock = flock.New(e.path(lockFile), flock.SetPermissions(ownerOnlyFile))
	switch locked, err := e.lock.TryLock(); {
	case err != nil:
		return fmt.Errorf("locking a job: %w", err)
	case !locked:
		return errors.New("locking a job: another process has locked it")
	}
	if err := replaceRecord(e.path(jobFile), e.Job, false); err != nil {
		return err
	}
	// The name of the result file is synced together with the others. So the
	// result needs only one more sync, which the end of the job waits for.
	if err := os.WriteFile(e.path(resultFile), nil, ownerOnlyFile); err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	e.synced = make(chan error, 1)
	go func() {
		e.synced <- errors.Join(syncPath(e.path(jobFile), os.O_RDWR), syncDir(e.dir), syncDir(filepath.Dir(e.dir)))
	}()
	return nil
}

// load reads a job that another process left.
func (e *Entry) load() error {
	var err error
	if e.Job, err = readRecord[Job](e.path(jobFile)); err != nil {
		return err
	}
	if e.Job.ID == "" || e.Job.Endpoint == "" || e.Job.ChunkMaxSize == 0 {
		return fmt.Errorf("%w: the job's ID, endpoint or chunk size is missing", errDamaged)
	}
	path := e.path(resultFile)
	switch result, err := readRecord[Result](path); {
	case isEmpty(path): // the end of the job was not seen
	case err == nil:
		e.result = &result
	case !errors.Is(err, fs.ErrNotExist):
		setAside(path, err.Error(), e.logger)
	}
	if e.chunks, e.lost, err = readChunks(e.dir, e.Job.ChunkMaxSize, e.logger); err != nil {
		return err
	}
	if n := len(e.chunks); n > 0 {
		e.newest = e.chunks[n-1]
	}
	return nil
}

// Chunks returns the chunks that another process left, in order, and how many
// chunks are known to be lost.
func (e *Entry) Chunks() (chunks []Chunk, lost int) { return e.chunks, e.lost }

// Result returns the result that another process left. It reports false if that
// process did not see the end of the job.
func (e *Entry) Result() (Result, bool) {
	if e.result == nil {
		return Result{}, false
	}
	return *e.result, true
}

// Append adds bytes to the newest chunk, or to a new one if sequence is greater.
// After an error none of the chunk is in the spool; later chunks may succeed.
func (e *Entry) Append(sequence, offset uint64, data []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if sequence != e.newest.Sequence || e.file == nil {
		if err := e.create(sequence, offset); err != nil {
			return err
		}
	}
	if _, err := e.file.Write(data); err != nil {
		// If this process dies before it delivers the chunk from memory, the
		// empty file counts as one lost chunk.
		_ = e.file.Truncate(0)
		e.closeFile()
		return fmt.Errorf("writing to the spool: %w", err)
	}
	e.newest.Size += uint64(len(data))
	return nil
}

// create creates the file of a new chunk. The caller holds the lock.
func (e *Entry) create(sequence, offset uint64) error {
	e.closeFile()
	file, err := os.OpenFile(e.path(chunkName(sequence, offset)), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, ownerOnlyFile)
	if err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	if e.discarded {
		e.removeChunk(e.newest)
	}
	e.file, e.newest, e.discarded = file, Chunk{Sequence: sequence, Offset: offset}, false
	return nil
}

// Read returns the bytes of a chunk, in buf if it is large enough.
func (e *Entry) Read(chunk Chunk, buf []byte) ([]byte, error) {
	file, err := os.Open(e.path(chunkName(chunk.Sequence, chunk.Offset)))
	if err != nil {
		return nil, fmt.Errorf("reading the spool: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	if uint64(cap(buf)) < chunk.Size {
		buf = make([]byte, chunk.Size)
	}
	buf = buf[:chunk.Size]
	if _, err := io.ReadFull(file, buf); err != nil {
		return nil, fmt.Errorf("reading chunk %d from the spool: %w", chunk.Sequence, err)
	}
	return buf, nil
}

// Discard removes a chunk that was delivered or refused. The newest chunk stays
// until there is a newer one.
func (e *Entry) Discard(chunk Chunk) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if chunk.Sequence == e.newest.Sequence {
		e.discarded = true
		e.closeFile()
		return
	}
	e.removeChunk(chunk)
}

// SetResult stores how the job ended, in place of an earlier result. When it
// returns nil, the result survives a power failure.
func (e *Entry) SetResult(result Result) error {
	if e.synced == nil { // not the first
		if err := replaceRecord(e.path(resultFile), result, true); err != nil {
			return err
		}
		return syncDir(e.dir)
	}
	// Both syncs at the same time, so that the disk can combine them.
	err := writeRecord(e.path(resultFile), result, true)
	if syncErr := <-e.synced; syncErr != nil {
		err = errors.Join(err, fmt.Errorf("syncing the spool: %w", syncErr))
	}
	e.synced = nil
	return err
}

// Remove removes the job from the spool: nothing is undelivered. The entry must
// not be used afterwards.
func (e *Entry) Remove() error {
	defer e.Close()
	// After this rename no process regards the directory as a job.
	if err := os.Rename(e.path(jobFile), e.path(removedFile)); err != nil {
		return fmt.Errorf("removing a job from the spool: %w", err)
	}
	e.Close()
	if err := os.RemoveAll(e.dir); err != nil {
		return fmt.Errorf("removing a job from the spool: %w", err)
	}
	return nil
}

// Close releases the job: another process, or this one, may deliver what is left.
// The entry must not be used afterwards.
func (e *Entry) Close() {
	if e.synced != nil {
		if err := <-e.synced; err != nil { // only a result must be synced, and there is none
			e.logger.Debug("could not sync a job in the spool", zap.String("job_id", e.Job.ID), zap.Error(err))
		}
		e.synced = nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closeFile()
	e.unlock()
}

func (e *Entry) unlock() {
	if e.lock != nil {
		_ = e.lock.Close() // the system releases it in any case
	}
}

func (e *Entry) path(name string) string { return filepath.Join(e.dir, name) }

func (e *Entry) closeFile() {
	if e.file != nil {
		_ = e.file.Close() // its writes have succeeded, and it is not synced
		e.file = nil
	}
}

func (e *Entry) removeChunk(chunk Chunk) {
	if err := os.Remove(e.path(chunkName(chunk.Sequence, chunk.Offset))); err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.logger.Warn("could not remove a delivered chunk from the spool; it may be sent again, which is harmless",
			zap.String("job_id", e.Job.ID), zap.Uint64("sequence", chunk.Sequence), zap.Error(err))
	}
}

// isEmpty reports whether a file exists and is empty.
func isEmpty(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() == 0
}
