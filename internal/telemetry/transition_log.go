package telemetry

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
)

const (
	// DefaultTransitionLogSize is the default size of a file of a transition log,
	// in bytes: about 150,000 events.
	DefaultTransitionLogSize = 64 << 20
	// MinTransitionLogSize is the least size of a file, in bytes. Each file begins
	// with whole records, which would fill a smaller one.
	MinTransitionLogSize = 64 << 10
	// queueSize is how many records may wait for the disk: about as many as a
	// thousand workers produce when all of them lose their streams at once.
	queueSize = 4096
	// gatherTime is the time from a record to the write that also has those that follow it: a
	// job's events come in groups within some milliseconds, and a write and a wake-up for each
	// of them took 4 % of the CPU time of a short job. A killed process loses as much.
	gatherTime = 20 * time.Millisecond
	// maxBatch is the number of bytes after which a batch is written.
	maxBatch = 8 << 10
	// diskRetry is the wait between two attempts to reopen a file that failed.
	diskRetry = 10 * time.Second
)

// TransitionLog writes the events of workers, and what their machines answered,
// to a file, for `fsm replay`. Workers never wait for the disk: a record that
// finds the queue full is dropped and counted, and a gap with the count is
// written in its place. The methods may be called concurrently.
type TransitionLog struct {
	logger  *zap.Logger
	queue   chan queuedRecord
	dropped atomic.Uint64      // records dropped so far
	crowded chan struct{}      // receives when half of the queue is used
	marks   chan chan struct{} // closed when the records before are written
	closing chan struct{}
	once    sync.Once
	closed  chan struct{}

	// These belong to the goroutine that writes.
	file     *transitionFile
	batch    []byte
	known    uint64    // drops known to the writer; the next gap covers at least these
	reported uint64    // drops covered by the gaps that were written
	retryAt  time.Time // when to reopen the file, while it is closed
}

// queuedRecord is a record with the number of records dropped before it. The
// caller of Record reads that number, so that a gap stands before the first
// record that follows it.
type queuedRecord struct {
	record  fsm.Record
	dropped uint64
}

// OpenTransitionLog opens a log that begins or continues in the file at path. The
// size of a file is in bytes, at least MinTransitionLogSize; zero means
// DefaultTransitionLogSize. A file that reaches it is renamed: FILE to FILE.1,
// FILE.1 to FILE.2, and so on up to FILE.4. The version of the program is written
// to the log. The logger, which may be nil, receives failures of the disk. An
// error names the invalid size or the file.
func OpenTransitionLog(path string, size int64, version string, logger *zap.Logger) (*TransitionLog, error) {
	if size == 0 {
		size = DefaultTransitionLogSize
	}
	if size < MinTransitionLogSize {
		return nil, fmt.Errorf("the transition log's size is %d bytes, and must be at least %d", size, MinTransitionLogSize)
	}
	if logger == nil {
		logger = zap.NewNop()
	}
	l := newTransitionLog(path, size, version, queueSize, logger)
	if err := l.file.open(); err != nil {
		return nil, fmt.Errorf("opening the transition log: %w", err)
	}
	go l.run()
	return l, nil
}

func newTransitionLog(path string, size int64, version string, queue int, logger *zap.Logger) *TransitionLog {
	return &TransitionLog{
		logger: logger, queue: make(chan queuedRecord, queue), crowded: make(chan struct{}, 1), marks: make(chan chan struct{}),
		closing: make(chan struct{}), closed: make(chan struct{}),
		file: &transitionFile{path: path, size: size, version: version},
	}
}

// Record queues a record, or drops it if the queue is full. It does not block.
func (l *TransitionLog) Record(r fsm.Record) {
	select {
	case l.queue <- queuedRecord{r, l.dropped.Load()}:
	default:
		l.dropped.Add(1)
	}
	if len(l.queue) >= cap(l.queue)/2 {
		select {
		case l.crowded <- struct{}{}:
		default:
		}
	}
}

// Dropped returns the number of records dropped so far.
func (l *TransitionLog) Dropped() uint64 { return l.dropped.Load() }

// Close writes the queued records and returns when they were passed to the
// operating system. Record must not be called after it. It may be called again.
func (l *TransitionLog) Close() {
	l.once.Do(func() { close(l.closing) })
	<-l.closed
}

// run writes until the log is closed and the queue is empty.
func (l *TransitionLog) run() {
	defer close(l.closed)
	for {
		select {
		case q := <-l.queue:
			written := l.gather()
			l.writeBatch(q)
			l.writeQueued()
			if written != nil {
				close(written)
			}
		case written := <-l.marks:
			l.writeQueued()
			close(written)
		case <-l.closing:
			l.writeQueued()
			l.finish()
			return
		}
	}
}

// gather waits for the records that follow one, unless there are many already or somebody
// waits for that one. It returns a mark to close when all of them are written, or nil.
func (l *TransitionLog) gather() (written chan struct{}) {
	timer := time.NewTimer(gatherTime)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.crowded:
	case written = <-l.marks:
	case <-l.closing:
	}
	return written
}

func (l *TransitionLog) writeQueued() {
	for len(l.queue) > 0 {
		l.writeBatch(<-l.queue)
	}
}

// flush returns when the records so far were passed to the operating system, or dropped.
func (l *TransitionLog) flush() {
	written := make(chan struct{})
	select {
	case l.marks <- written:
		<-written
	case <-l.closed:
	}
}

// writeBatch writes a record, and those that are queued behind it, at once.
func (l *TransitionLog) writeBatch(q queuedRecord) {
	if !l.ready() {
		l.drop(1)
		return
	}
	reported, records := l.reported, uint64(0)
	l.batch = l.batch[:0]
	for {
		l.appendGap(max(q.dropped, l.known), q.record.Time)
		l.batch = l.file.lines.record(l.batch, &q.record)
		records++
		if len(l.batch) >= maxBatch || len(l.queue) == 0 {
			break
		}
		q = <-l.queue
	}
	if err := l.file.write(l.batch); err != nil {
		l.reported = reported
		l.drop(records)
		l.fail(err)
	}
}

// appendGap appends a gap to the batch if records were dropped that no gap covers.
func (l *TransitionLog) appendGap(dropped uint64, at time.Time) {
	if dropped > l.reported {
		l.batch = l.file.lines.gap(l.batch, fsm.LogGap{Time: at, Dropped: dropped - l.reported})
		l.reported = dropped
	}
}

// ready reports whether there is a file to write to. It begins a new file if the
// old one is full, and reopens one that failed, at most once in diskRetry.
func (l *TransitionLog) ready() bool {
	switch {
	case !l.file.isOpen() && time.Now().Before(l.retryAt):
		return false
	case !l.file.isOpen():
		if l.file.open() != nil {
			l.retryAt = time.Now().Add(diskRetry)
			return false
		}
		l.logger.Info("transition log is written again", zap.Uint64("dropped", l.dropped.Load()))
	case l.file.full():
		if err := l.file.rotate(); err != nil {
			l.fail(err)
			return false
		}
	}
	return true
}

// fail closes a file that cannot be written.
func (l *TransitionLog) fail(err error) {
	l.file.abandon()
	l.retryAt = time.Now().Add(diskRetry)
	l.logger.Warn("transition log cannot be written; events are dropped; will retry", zap.Error(err))
}

func (l *TransitionLog) drop(n uint64) { l.known = l.dropped.Add(n) }

func (l *TransitionLog) finish() {
	l.batch = l.batch[:0]
	l.appendGap(l.dropped.Load(), time.Now())
	if l.file.isOpen() {
		if err := l.file.write(l.batch); err != nil {
			l.fail(err)
		}
	}
	l.file.close()
	if n := l.dropped.Load(); n > 0 {
		l.logger.Warn("transition log has gaps", zap.Uint64("dropped", n))
	}
}
