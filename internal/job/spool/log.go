package spool

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"go.uber.org/zap"
)

// shortLog is the size of a job's file, in bytes, above which the next chunk of the log
// gets a file of its own, which can be removed when it is delivered.
const shortLog = 64 << 10

// entryLog is the log of an entry. The entry's lock guards it.
type entryLog struct {
	segments map[uint64][]segment // of the chunks in the job's file, by sequence
	hasDir   bool                 // the directory for chunk files was made

	newest    Chunk
	writing   bool     // newest can be appended to
	file      *os.File // of newest, while it is written; nil if it is in the job's file
	discarded bool     // newest was discarded, and its file stays until there is a newer one
}

// closeFile ends the chunk that is being written.
func (l *entryLog) closeFile() {
	if l.file != nil {
		_ = l.file.Close() // its writes have succeeded, and it is not synced
	}
	l.file, l.writing = nil, false
}

// Append adds bytes to the newest chunk, or to a new one if sequence is greater.
// After an error none of the chunk is in the spool; later chunks may succeed.
func (e *Entry) Append(sequence, offset uint64, data []byte) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if sequence != e.log.newest.Sequence || !e.log.writing {
		if err := e.begin(sequence, offset); err != nil {
			return err
		}
	}
	write := e.appendFrame
	if e.log.file != nil {
		write = e.appendFile
	}
	if err := write(data); err != nil {
		return err
	}
	e.log.newest.Size += uint64(len(data))
	return nil
}

// begin begins a new chunk. The caller holds the lock.
func (e *Entry) begin(sequence, offset uint64) error {
	l := &e.log
	l.closeFile()
	if e.size >= shortLog {
		if err := e.createFile(sequence, offset); err != nil {
			return err
		}
	}
	if l.discarded {
		e.removeFile(l.newest)
	}
	l.newest, l.discarded, l.writing = Chunk{Sequence: sequence, Offset: offset}, false, true
	return nil
}

// createFile creates the file of a new chunk. The caller holds the lock.
func (e *Entry) createFile(sequence, offset uint64) (err error) {
	if !e.log.hasDir {
		if err := os.Mkdir(e.logDir(), ownerOnly); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("writing to the spool: %w", err)
		}
		e.log.hasDir = true
	}
	e.log.file, err = os.OpenFile(e.chunkPath(Chunk{Sequence: sequence, Offset: offset}), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, ownerOnlyFile)
	if err != nil {
		e.log.file = nil
		return fmt.Errorf("writing to the spool: %w", err)
	}
	return nil
}

// appendFile adds bytes to the file of the newest chunk. The caller holds the lock.
func (e *Entry) appendFile(data []byte) error {
	if _, err := e.log.file.Write(data); err != nil {
		// If this process dies before it delivers the chunk from memory, the
		// empty file counts as one lost chunk.
		_ = e.log.file.Truncate(0)
		e.log.closeFile()
		return fmt.Errorf("writing to the spool: %w", err)
	}
	return nil
}

// appendFrame adds bytes to the newest chunk in the job's file. The caller holds the lock.
func (e *Entry) appendFrame(data []byte) error {
	l := &e.log
	if l.segments == nil {
		l.segments = map[uint64][]segment{}
	}
	frame := encode(kindData, l.newest.Sequence, l.newest.Offset, data)
	place, err := e.writeFrame(frame)
	if err != nil {
		e.mark(l.newest.Sequence, kindVoid)
		delete(l.segments, l.newest.Sequence)
		l.writing = false
		return err
	}
	place.size = int64(len(data))
	place.content = e.size - place.size - 1
	l.segments[l.newest.Sequence] = append(l.segments[l.newest.Sequence], place)
	return nil
}

// mark overwrites the kind of a chunk's frames. The caller holds the lock.
func (e *Entry) mark(sequence uint64, k kind) {
	for _, s := range e.log.segments[sequence] {
		if _, err := e.file.WriteAt([]byte{byte(k)}, s.kindAt()); err != nil {
			e.warnResend(sequence, err)
		}
	}
}

func (e *Entry) warnResend(sequence uint64, err error) {
	e.spool.logger.Warn("could not remove a delivered chunk from the spool; it may be sent again, which is harmless",
		zap.String("job_id", e.Job.ID), zap.Uint64("sequence", sequence), zap.Error(err))
}

// Read returns the bytes of a chunk, in buf if it is large enough.
func (e *Entry) Read(chunk Chunk, buf []byte) ([]byte, error) {
	if uint64(cap(buf)) < chunk.Size {
		buf = make([]byte, chunk.Size)
	}
	buf = buf[:chunk.Size]
	e.mu.Lock()
	segments, inFile := e.log.segments[chunk.Sequence]
	e.mu.Unlock()
	read := e.readFile
	if inFile {
		read = func(_ Chunk, buf []byte) error { return e.readFrames(segments, buf) }
	}
	if err := read(chunk, buf); err != nil {
		return nil, fmt.Errorf("reading chunk %d from the spool: %w", chunk.Sequence, err)
	}
	return buf, nil
}

func (e *Entry) readFile(chunk Chunk, buf []byte) error {
	file, err := os.Open(e.chunkPath(chunk))
	if err != nil {
		return err //nolint:wrapcheck // Read wraps it
	}
	defer func() { _ = file.Close() }() // only read
	_, err = io.ReadFull(file, buf)
	return err //nolint:wrapcheck // as above
}

func (e *Entry) readFrames(segments []segment, buf []byte) error {
	for _, s := range segments {
		if s.size > int64(len(buf)) {
			return io.ErrUnexpectedEOF
		}
		if _, err := e.file.ReadAt(buf[:s.size], s.content); err != nil {
			return err //nolint:wrapcheck // Read wraps it
		}
		buf = buf[s.size:]
	}
	if len(buf) > 0 {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// Discard removes a chunk that was delivered or refused. The newest chunk stays
// until there is a newer one.
func (e *Entry) Discard(chunk Chunk) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := &e.log
	newest := chunk.Sequence == l.newest.Sequence
	if newest {
		l.closeFile()
	}
	switch _, inFile := l.segments[chunk.Sequence]; {
	case inFile:
		e.mark(chunk.Sequence, kindSent)
		if !newest {
			delete(l.segments, chunk.Sequence)
		}
	case newest:
		l.discarded = true
	default:
		e.removeFile(chunk)
	}
}

// removeFile removes the file of a chunk. The caller holds the lock.
func (e *Entry) removeFile(chunk Chunk) {
	if err := os.Remove(e.chunkPath(chunk)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		e.warnResend(chunk.Sequence, err)
	}
}

func (e *Entry) chunkPath(chunk Chunk) string {
	return filepath.Join(e.logDir(), chunkName(chunk.Sequence, chunk.Offset))
}
