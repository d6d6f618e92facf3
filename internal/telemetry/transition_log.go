package telemetry

import (
	"fmt"
	"sync"
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
	// keptQueue is the room for records that an empty queue keeps.
	keptQueue = 256
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
	size    int                // of the queue
	due     *time.Timer        // fires when the queue must be written
	marks   chan chan struct{} // closed when the records before are written
	closing chan struct{}
	once    sync.Once
	closed  chan struct{}

	mu      sync.Mutex
	queue   []queuedRecord
	dropped uint64 // records dropped so far

	// These belong to the goroutine that writes.
	file     *transitionFile
	batch    []byte
	taken    []queuedRecord // the queue that is written, and is the next one
	known    uint64         // drops known to the writer; the next gap covers at least these
	reported uint64         // drops covered by the gaps that were written
	retryAt  time.Time      // when to reopen the file, while it is closed
}

// queuedRecord is a record with the number of records dropped before it, so that a gap
// stands before the first record that follows it.
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

// newTransitionLog returns a log whose queue holds at most that many records.
func newTransitionLog(path string, size int64, version string, queue int, logger *zap.Logger) *TransitionLog {
	due := time.NewTimer(gatherTime)
	due.Stop()
	return &TransitionLog{
		logger: logger, size: queue, due: due, marks: make(chan chan struct{}),
		closing: make(chan struct{}), closed: make(chan struct{}),
		file: &transitionFile{path: path, size: size, version: version},
	}
}

// Record queues a record, or drops it if the queue is full. It does not block. The first
// record of a queue is written after gatherTime with those that follow it, or at once
// when half of the queue is used.
func (l *TransitionLog) Record(r fsm.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == l.size {
		l.dropped++
		return
	}
	l.queue = append(l.queue, queuedRecord{r, l.dropped})
	switch len(l.queue) {
	case l.size / 2:
		l.due.Reset(0)
	case 1:
		l.due.Reset(gatherTime)
	}
}

// Dropped returns the number of records dropped so far.
func (l *TransitionLog) Dropped() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dropped
}

// Close writes the queued records and returns when they were passed to the
// operating system. Record must not be called after it. It may be called again.
func (l *TransitionLog) Close() {
	l.once.Do(func() { close(l.closing) })
	<-l.closed
}

// run writes until the log is closed.
func (l *TransitionLog) run() {
	defer close(l.closed)
	defer l.due.Stop()
	for {
		select {
		case <-l.due.C:
			l.writeQueued()
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

// flush returns when the records so far were passed to the operating system, or dropped.
func (l *TransitionLog) flush() {
	written := make(chan struct{})
	select {
	case l.marks <- written:
		<-written
	case <-l.closed:
	}
}

// writeQueued writes the records that are queued now.
func (l *TransitionLog) writeQueued() {
	l.mu.Lock()
	l.queue, l.taken = l.taken[:0], l.queue
	l.mu.Unlock()
	for rest := l.taken; len(rest) > 0; {
		rest = rest[l.writeBatch(rest):]
	}
	clear(l.taken) // what the records refer to
	if cap(l.taken) > keptQueue {
		l.taken = nil
	}
}

// writeBatch writes the first records of a queue at once, and returns how many they are.
func (l *TransitionLog) writeBatch(queue []queuedRecord) (records int) {
	if !l.ready() {
		l.drop(1)
		return 1
	}
	reported := l.reported
	l.batch = l.batch[:0]
	for records < len(queue) && len(l.batch) < maxBatch {
		q := &queue[records]
		l.appendGap(max(q.dropped, l.known), q.record.Time)
		l.batch = l.file.lines.record(l.batch, &q.record)
		records++
	}
	if err := l.file.write(l.batch); err != nil {
		l.reported = reported
		l.drop(records)
		l.fail(err)
	}
	return records
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
		l.logger.Info("transition log is written again", zap.Uint64("dropped", l.Dropped()))
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

// drop counts records that could not be written.
func (l *TransitionLog) drop(records int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dropped += uint64(records) //nolint:gosec // a count
	l.known = l.dropped
}

func (l *TransitionLog) finish() {
	l.batch = l.batch[:0]
	l.appendGap(l.Dropped(), time.Now())
	if l.file.isOpen() {
		if err := l.file.write(l.batch); err != nil {
			l.fail(err)
		}
	}
	l.file.close()
	if n := l.Dropped(); n > 0 {
		l.logger.Warn("transition log has gaps", zap.Uint64("dropped", n))
	}
}
