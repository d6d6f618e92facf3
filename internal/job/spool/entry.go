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

// Entry is one job in the spool, which this process holds. Its methods may be
// called concurrently.
type Entry struct {
	// Job is which job it is. It does not change.
	Job Job

	dir    string
	logger *zap.Logger
	lock   *flock.Flock

	// What was found when the job was claimed; see Pieces and Result.
	pieces []Piece
	lost   int
	result *Result

	mu        sync.Mutex
	file      *os.File // of the newest piece, while it is written to
	newest    Piece
	delivered bool // the newest piece
	synced    chan error
}

// begin fills the folder of a new job. It is synced in the background: until
// the job has ended, only a power cut could undo it, and with it the job is
// lost anyway.
func (e *Entry) begin() error {
	e.lock = flock.New(filepath.Join(e.dir, lockFile), flock.SetPermissions(ownerOnlyFile))
	switch locked, err := e.lock.TryLock(); {
	case err != nil:
		return fmt.Errorf("locking it: %w", err)
	case !locked:
		return errors.New("another process has locked it")
	}
	if err := e.write(jobFile, e.Job, false); err != nil {
		return err
	}

	// Its name is synced with the others, so that the result is safe with one
	// sync more, which the finish waits for.
	if err := os.WriteFile(filepath.Join(e.dir, resultFile), nil, ownerOnlyFile); err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	e.synced = make(chan error, 1)
	go func() {
		e.synced <- errors.Join(syncPath(filepath.Join(e.dir, jobFile)), syncFolder(e.dir), syncFolder(filepath.Dir(e.dir)))
	}()
	return nil
}

// load reads a job that another process has left.
func (e *Entry) load() error {
	var err error
	if e.Job, err = read[Job](filepath.Join(e.dir, jobFile)); err != nil {
		return err
	}
	if e.Job.ID == "" || e.Job.Endpoint == "" || e.Job.ChunkMaxSize == 0 {
		return fmt.Errorf("%w: it lacks the id, the endpoint or the size of chunks", errDamaged)
	}
	path := filepath.Join(e.dir, resultFile)
	switch result, err := read[Result](path); {
	case empty(path):
	case err == nil:
		e.result = &result
	case !errors.Is(err, fs.ErrNotExist): // without it the job's end was not seen
		setAside(path, err.Error(), e.logger)
	}
	if e.pieces, e.lost, err = readPieces(e.dir, e.Job.ChunkMaxSize, e.logger); err != nil {
		return err
	}
	if n := len(e.pieces); n > 0 {
		e.newest = e.pieces[n-1]
	}
	return nil
}

// Pieces are the pieces that were there when the job was claimed, in order, and
// how many of the job's are known to be lost.
func (e *Entry) Pieces() (pieces []Piece, lost int) { return e.pieces, e.lost }

// Result is the result that was there when the job was claimed; false if the
// job's end was not seen.
func (e *Entry) Result() (Result, bool) {
	if e.result == nil {
		return Result{}, false
	}
	return *e.result, true
}

// End is the number of the newest piece that this process knows of, and where
// the output ends with it.
func (e *Entry) End() (number, offset uint64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.newest.Number, e.newest.Offset + e.newest.Size
}

// Append adds bytes to a piece: the newest, or a new one. After an error the
// piece is not in the spool, and its other bytes are not either; a later piece
// may fare better.
func (e *Entry) Append(number, offset uint64, data []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if number != e.newest.Number || e.file == nil {
		if err := e.open(number, offset); err != nil {
			return err
		}
	}
	if _, err := e.file.Write(data); err != nil {
		// An empty piece is one that is known to be lost, if this process dies
		// before it is delivered from memory.
		_ = e.file.Truncate(0)
		e.closeFile()
		return fmt.Errorf("writing to the spool: %w", err)
	}
	e.newest.Size += uint64(len(data))
	return nil
}

// open begins a piece. The lock is held.
func (e *Entry) open(number, offset uint64) error {
	e.closeFile()
	file, err := os.OpenFile(e.path(number, offset), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, ownerOnlyFile)
	if err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	if e.delivered {
		e.remove(e.newest)
	}
	e.file, e.newest, e.delivered = file, Piece{Number: number, Offset: offset}, false
	return nil
}

// Read gives the bytes of a piece, in buf if that is large enough.
func (e *Entry) Read(piece Piece, buf []byte) ([]byte, error) {
	file, err := os.Open(e.path(piece.Number, piece.Offset))
	if err != nil {
		return nil, fmt.Errorf("reading the spool: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	if uint64(cap(buf)) < piece.Size {
		buf = make([]byte, piece.Size)
	}
	buf = buf[:piece.Size]
	if _, err := io.ReadFull(file, buf); err != nil {
		return nil, fmt.Errorf("reading chunk %d from the spool: %w", piece.Number, err)
	}
	return buf, nil
}

// Delivered forgets a piece: it was delivered, or is not wanted. The newest
// stays until there is a newer one.
func (e *Entry) Delivered(piece Piece) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if piece.Number == e.newest.Number {
		e.delivered = true
		e.closeFile()
		return
	}
	e.remove(piece)
}

// SetResult keeps how the job ended. When it returns without an error, not even
// a power cut undoes it.
func (e *Entry) SetResult(result Result) error {
	if e.synced == nil { // not the first
		return e.write(resultFile, result, true)
	}
	err := e.fill(resultFile, result) // beside the other sync, so that the disk makes one of them
	if syncErr := <-e.synced; syncErr != nil {
		err = errors.Join(err, fmt.Errorf("syncing the spool: %w", syncErr))
	}
	e.synced = nil
	return err
}

// Remove ends the job: nothing is owed any more. The entry is not used after
// that.
func (e *Entry) Remove() error {
	defer e.Close()

	// From this rename on it is no job to anybody.
	if err := os.Rename(filepath.Join(e.dir, jobFile), filepath.Join(e.dir, goneFile)); err != nil {
		return fmt.Errorf("clearing the spool: %w", err)
	}
	e.Close()
	if err := os.RemoveAll(e.dir); err != nil {
		return fmt.Errorf("clearing the spool: %w", err)
	}
	return nil
}

// Close lets go of the job: what is owed is for whoever claims it. The entry is
// not used after that.
func (e *Entry) Close() {
	if e.synced != nil {
		if err := <-e.synced; err != nil { // whoever needs it synced has called SetResult
			e.logger.Debug("the spool was not synced", zap.Error(err))
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
		_ = e.lock.Close() // the system takes it back in any case
	}
}

func (e *Entry) path(number, offset uint64) string {
	return filepath.Join(e.dir, pieceName(number, offset))
}

func (e *Entry) closeFile() {
	if e.file != nil {
		_ = e.file.Close() // its writes have succeeded, and it is not synced
		e.file = nil
	}
}

func (e *Entry) remove(piece Piece) {
	if err := os.Remove(e.path(piece.Number, piece.Offset)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.logger.Warn("a piece of output stays in the spool and may be sent again, which is harmless", zap.Error(err))
	}
}

// write puts a record into its place, whole or not at all.
func (e *Entry) write(name string, record any, durably bool) error {
	data, err := encode(record)
	if err != nil {
		return err
	}
	path := filepath.Join(e.dir, name)
	beside := path + ".new"
	if err := os.WriteFile(beside, data, ownerOnlyFile); err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	if durably {
		if err := syncPath(beside); err != nil {
			return err
		}
	}
	if err := os.Rename(beside, path); err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	if durably {
		return syncFolder(e.dir)
	}
	return nil
}

// fill writes a record into an empty file. A power cut may leave it half
// written, which the checksum tells.
func (e *Entry) fill(name string, record any) error {
	data, err := encode(record)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(filepath.Join(e.dir, name), os.O_WRONLY|os.O_TRUNC, ownerOnlyFile) //nolint:gosec // the folder is ours
	if err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	defer func() { _ = file.Close() }() // it is synced
	if _, err := file.Write(data); err != nil {
		return fmt.Errorf("writing to the spool: %w", err)
	}
	if err := file.Sync(); err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	return nil
}

// empty tells whether nothing was written to a file yet.
func empty(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Size() == 0
}

// read reads a record.
func read[T any](path string) (record T, err error) {
	file, err := os.Open(path) //nolint:gosec // the folder is ours
	if err != nil {
		return record, fmt.Errorf("reading the spool: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(file, maxRecord+1))
	if err != nil {
		return record, fmt.Errorf("reading the spool: %w", err)
	}
	if len(data) > maxRecord {
		return record, fmt.Errorf("%w: it is longer than %d bytes", errDamaged, maxRecord)
	}
	return decode[T](data)
}

// syncPath makes a file's content outlast a power cut.
func syncPath(path string) error {
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the folder is ours
	if err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	defer func() { _ = file.Close() }() // it is synced
	if err := file.Sync(); err != nil {
		return fmt.Errorf("syncing the spool: %w", err)
	}
	return nil
}
