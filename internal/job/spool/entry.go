package spool

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"

	"go.uber.org/zap"
)

// Entry is one job in the spool, held by this process. Append, Read, Discard and Sync
// may be called concurrently; all other methods only one at a time.
type Entry struct {
	// Job is the job's record. It does not change.
	Job Job

	spool *Spool
	name  string // random, without prefix and owner
	file  *os.File

	// What another process left; see Chunks and Result.
	chunks []Chunk
	lost   int
	result *Result

	mu   sync.Mutex
	size int64 // of the file, in bytes
	log  entryLog
}

// maxFile is the largest file of a job: the first part of a log, the chunk in which
// it ends, and records.
const maxFile = shortLog + 8*maxRecord

// fill writes the first frame of a new job.
func (e *Entry) fill() error {
	data, err := encodeRecord(kindJob, e.Job)
	if err != nil {
		return err
	}
	_, err = e.writeFrame(data)
	return err
}

// load reads the file of a job that a process left.
func (e *Entry) load() error {
	data, err := io.ReadAll(io.LimitReader(e.file, maxFile+1))
	if err != nil {
		return fmt.Errorf("reading the spool: %w", err)
	}
	if len(data) > maxFile {
		return fmt.Errorf("%w: more than %d bytes", errDamaged, maxFile)
	}
	frames, size := decode(data)
	e.size = size
	if len(frames) == 0 || frames[0].kind != kindJob {
		return fmt.Errorf("%w: no job in it", errDamaged)
	}
	if e.Job, err = decodeRecord[Job](frames[0].content); err != nil {
		return err
	}
	if e.Job.ID == "" || e.Job.Endpoint == "" || e.Job.ChunkMaxSize == 0 {
		return fmt.Errorf("%w: the job's ID, endpoint or chunk size is missing", errDamaged)
	}
	if rest := int64(len(data)) - size; rest > 0 {
		e.spool.logger.Warn("the last part of a job in the spool is not complete; dropped",
			zap.String("job_id", e.Job.ID), zap.Int64("bytes", rest))
		if err := e.file.Truncate(size); err != nil {
			return fmt.Errorf("repairing the spool: %w", err)
		}
	}
	for _, f := range frames {
		if f.kind != kindResult {
			continue
		}
		result, err := decodeRecord[Result](f.content)
		if err != nil {
			return err
		}
		e.result = &result
	}
	return e.loadLog(frames)
}

// loadLog finds the chunks of the log.
func (e *Entry) loadLog(frames []frame) error {
	inFile, void := chunksOf(frames)
	inDir, lost, err := readChunks(e.logDir(), e.Job.ChunkMaxSize, e.spool.logger)
	if err != nil {
		return err
	}
	fitting, others := fit(append(inFile, inDir...), e.Job.ChunkMaxSize)
	e.lost = void + lost + len(others)
	for _, c := range others {
		e.spool.logger.Error("dropped a log chunk in the spool that does not fit with the others",
			zap.String("job_id", e.Job.ID), zap.Uint64("sequence", c.Sequence))
		if len(c.segments) == 0 {
			setAside(filepath.Join(e.logDir(), chunkName(c.Sequence, c.Offset)), "does not fit with the other chunks", e.spool.logger)
		}
	}
	e.log.segments = map[uint64][]segment{}
	_, err = os.Lstat(e.logDir())
	e.log.hasDir = err == nil // whatever is in it
	for i, c := range fitting {
		if len(c.segments) > 0 {
			e.log.segments[c.Sequence] = c.segments
		}
		if !c.sent || i == len(fitting)-1 {
			e.chunks = append(e.chunks, c.Chunk)
		}
		e.log.newest = c.Chunk
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

// SetResult stores how the job ended, in place of an earlier result. When it returns
// nil, the result survives the end of this process; Sync makes it survive a power
// failure.
func (e *Entry) SetResult(result Result) error {
	data, err := encodeRecord(kindResult, result)
	if err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	_, err = e.writeFrame(data)
	return err
}

// Sync makes everything but the chunk files of a long log survive a power failure. It
// shares the work with concurrent calls of other entries. The error wraps os.ErrClosed
// after Close; after Remove it means nothing.
func (e *Entry) Sync() error { return e.spool.commits.sync(e.file) }

// Remove removes the job from the spool: nothing is undelivered. The entry must
// not be used afterwards.
func (e *Entry) Remove() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.log.closeFile()
	var err error
	if !e.spool.putFile(freeFile{e.name, e.file}) { // which empties it
		err = removeFile(e.file)
		e.spool.release(e.name)
	}
	if e.log.hasDir && err == nil {
		err = os.RemoveAll(e.logDir())
	}
	if err != nil {
		return fmt.Errorf("removing a job from the spool: %w", err)
	}
	return nil
}

// Close releases the job: this process may deliver what is left, and when it has
// ended, another one may. The entry must not be used afterwards.
func (e *Entry) Close() {
	e.mu.Lock()
	e.log.closeFile()
	_ = e.file.Close() // its writes have succeeded, or the error was returned
	e.mu.Unlock()
	e.spool.release(e.name)
}

// path returns the path of the job's file.
func (e *Entry) path() string { return filepath.Join(e.spool.dir, jobName(e.spool.owner, e.name)) }

// logDir returns the path of the directory for a long log.
func (e *Entry) logDir() string { return filepath.Join(e.spool.dir, logPrefix+e.name) }

// writeFrame appends a frame and returns its place in the file. After an error the file
// is as before. The caller holds the lock, unless the entry is new.
func (e *Entry) writeFrame(data []byte) (segment, error) {
	at := e.size
	if _, err := e.file.WriteAt(data, at); err != nil {
		// If this fails, too, the checksum shows that the frame is not complete.
		err = errors.Join(err, e.file.Truncate(at))
		return segment{}, fmt.Errorf("writing to the spool: %w", err)
	}
	e.size += int64(len(data))
	return segment{at: at}, nil
}
