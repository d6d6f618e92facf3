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
	// DefaultTransitionLogSize is the size of a file of a transition log, in
	// bytes: some 150,000 events.
	DefaultTransitionLogSize = 64 << 20
	// MinTransitionLogSize is the least size of a file, in bytes: each begins with
	// whole records, which would fill a smaller one.
	MinTransitionLogSize = 64 << 10
	// transitionsWaiting is how many records may wait for the disk: what a
	// thousand workers say when they all lose their streams at once.
	transitionsWaiting = 4096
	// diskRetry is how long a disk that took nothing is left alone.
	diskRetry = 10 * time.Second
)

// TransitionLog writes what the machines of workers did to a file, for `fsm
// replay`. Nobody waits for the disk: records that find no room are dropped and
// counted, and a gap with their number stands in the log in their place. The
// methods may be called concurrently.
type TransitionLog struct {
	logger  *zap.Logger
	records chan waiting
	lost    atomic.Uint64 // records dropped so far
	end     chan struct{}
	ending  sync.Once
	ended   chan struct{}

	// These belong to the goroutine that writes.
	file     *transitionFile
	told     uint64    // of lost, how many are in gaps that were written
	toldDisk uint64    // and are on disk
	unsure   uint64    // records written that are not on disk yet
	floor    uint64    // what is lost at least, for the next record
	retry    time.Time // when the disk is tried again, while it is out of order
}

// waiting is a record with how many were lost before it. That number is taken by
// the worker that records, so that a gap never comes late for it.
type waiting struct {
	record fsm.Record
	lost   uint64
}

// OpenTransitionLog opens a log that begins, or goes on, in the file at path. The
// size of a file is in bytes, at least MinTransitionLogSize; zero means
// DefaultTransitionLogSize. A file that has grown to it is renamed: FILE becomes
// FILE.1, that FILE.2, up to FILE.4. The program's version goes into the log. The
// logger, if not nil, is told of a disk that takes nothing more. An error says
// what is wrong with the size or the file.
func OpenTransitionLog(path string, size int64, program string, logger *zap.Logger) (*TransitionLog, error) {
	if size == 0 {
		size = DefaultTransitionLogSize
	}
	if size < MinTransitionLogSize {
		return nil, fmt.Errorf("the transition log's size is %d bytes, and must be at least %d", size, MinTransitionLogSize)
	}
	if logger == nil {
		logger = zap.NewNop()
	}
	l := &TransitionLog{
		logger: logger, records: make(chan waiting, transitionsWaiting),
		end: make(chan struct{}), ended: make(chan struct{}),
		file: &transitionFile{path: path, size: size, header: fsm.NewLogHeader(program)},
	}
	if err := l.file.open(); err != nil {
		return nil, fmt.Errorf("opening the transition log: %w", err)
	}
	go l.run()
	return l, nil
}

// Record takes a record, or drops it. It never waits.
func (l *TransitionLog) Record(r fsm.Record) {
	select {
	case l.records <- waiting{r, l.lost.Load()}:
	default:
		l.lost.Add(1)
	}
}

// Dropped returns how many records were dropped so far.
func (l *TransitionLog) Dropped() uint64 { return l.lost.Load() }

// Close writes what was taken, and returns when it is on its way to the disk.
// No record may come after it. It may be called again.
func (l *TransitionLog) Close() {
	l.ending.Do(func() { close(l.end) })
	<-l.ended
}

// run writes until the log is closed and all that was taken is written.
func (l *TransitionLog) run() {
	defer close(l.ended)
	for {
		select {
		case w := <-l.records:
			l.write(&w)
		case <-l.end:
			for len(l.records) > 0 {
				w := <-l.records
				l.write(&w)
			}
			l.finish()
			return
		}
		if len(l.records) == 0 {
			l.flush()
		}
	}
}

func (l *TransitionLog) write(w *waiting) {
	if !l.diskIsBack() {
		l.lose(1)
		return
	}
	if l.file.full() && !l.rotate() {
		l.lose(1)
		return
	}
	l.unsure++
	err := l.gap(max(w.lost, l.floor), w.record.Time)
	if err == nil {
		err = l.file.record(&w.record)
	}
	if err != nil {
		l.fail(err)
	}
}

// rotate begins a new file, and tells whether there is one to write to.
func (l *TransitionLog) rotate() bool {
	l.flush()
	if l.file.closed() {
		return false
	}
	if err := l.file.rotate(); err != nil {
		l.fail(err)
		return false
	}
	return true
}

// gap writes that records are missing, if any are that no gap tells of.
func (l *TransitionLog) gap(lost uint64, at time.Time) error {
	if lost <= l.told {
		return nil
	}
	g := fsm.LogGap{Time: at, Dropped: lost - l.told}
	l.told = lost
	return l.file.gap(g)
}

func (l *TransitionLog) flush() {
	if l.file.closed() {
		return
	}
	if err := l.file.flush(); err != nil {
		l.fail(err)
		return
	}
	l.toldDisk, l.unsure = l.told, 0
}

// fail lets go of a file that takes nothing more, and of what it did not take.
func (l *TransitionLog) fail(err error) {
	l.file.abandon()
	l.told = l.toldDisk
	l.retry = time.Now().Add(diskRetry)
	l.lose(l.unsure)
	l.unsure = 0
	l.logger.Warn("the transition log cannot be written; events are missing from it until it can", zap.Error(err))
}

func (l *TransitionLog) lose(n uint64) { l.floor = l.lost.Add(n) }

// diskIsBack tells whether there is a file to write to, and tries now and then to
// have one.
func (l *TransitionLog) diskIsBack() bool {
	if !l.file.closed() {
		return true
	}
	if time.Now().Before(l.retry) {
		return false
	}
	if err := l.file.open(); err != nil {
		l.retry = time.Now().Add(diskRetry)
		return false
	}
	l.logger.Info("the transition log is written again", zap.Uint64("dropped", l.lost.Load()))
	return true
}

func (l *TransitionLog) finish() {
	if !l.file.closed() {
		if err := l.gap(l.lost.Load(), time.Now()); err != nil {
			l.fail(err)
		}
	}
	l.flush()
	l.file.close()
	if n := l.lost.Load(); n > 0 {
		l.logger.Warn("the transition log has gaps", zap.Uint64("dropped", n))
	}
}
