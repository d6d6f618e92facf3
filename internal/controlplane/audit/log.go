package audit

import (
	"context"
	"encoding/json"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// maxWaiting bounds the events that are not stored yet. More are dropped, counted
	// and logged: no caller waits for the log of a store that is out of reach.
	maxWaiting = 1024
	// maxBatch is the most events in one message of the store.
	maxBatch = 32
	// linger is how long the first submission of a message waits for more, since each
	// message is synced to disk.
	linger = 100 * time.Millisecond
	// storeTimeout bounds the storing of one message, and closing.
	storeTimeout = 3 * time.Second
)

// Records are what the log needs of the store.
type Records interface {
	// AppendAudit stores a message of a kind, by which the log is bounded.
	AppendAudit(ctx context.Context, kind string, data []byte) error
}

// Log writes events in the order of the calls. One goroutine stores them, all that
// have come during one write with the next, so that a burst of submissions does not
// wait for the disk. Its methods may be called concurrently.
type Log struct {
	records Records
	log     *zap.Logger
	now     func() time.Time
	events  chan entry
	wg      sync.WaitGroup

	mu      sync.RWMutex // held for reading while an event is passed on
	closed  bool
	dropped int // guarded by lost
	lost    sync.Mutex
}

// entry is an event; stored is closed when it is stored, or storing it has failed.
type entry struct {
	Event

	stored chan struct{}
}

// New returns a Log. The caller calls Close before it closes the store.
func New(records Records, log *zap.Logger) *Log {
	l := &Log{records: records, log: log, now: time.Now, events: make(chan entry, maxWaiting)}
	l.wg.Go(l.run)
	return l
}

// Close stores what waits, for up to a few seconds. Later events are dropped.
func (l *Log) Close() {
	l.mu.Lock()
	if !l.closed {
		l.closed = true
		close(l.events)
	}
	l.mu.Unlock()
	l.wg.Wait()
}

// Add records an event, and does not wait until it is stored: what was added in the
// last moments before the process is killed is in its own log only.
func (l *Log) Add(event Event) { l.add(event, nil) }

// AddAll records many events like Add. While too many wait to be stored it waits too,
// until the context ends, so that one call does not displace others.
func (l *Log) AddAll(ctx context.Context, events []Event) {
	for _, event := range events {
		l.add(event, ctx.Done())
	}
}

// Record is Add for what operators do: it returns when the event is stored, when that
// has failed, or when the context ends. A change is not undone because the log fails.
func (l *Log) Record(ctx context.Context, event Event) {
	select {
	case <-l.add(event, nil):
	case <-ctx.Done():
	}
}

// add passes an event on to the goroutine that stores it. It waits for room until the
// channel is closed; with nil it does not wait.
func (l *Log) add(event Event, until <-chan struct{}) (stored <-chan struct{}) {
	e := entry{event.bounded(), make(chan struct{})}
	e.At = l.now().UTC()
	l.log.Info("change by a caller", e.fields()...)
	l.mu.RLock()
	defer l.mu.RUnlock()
	if !l.closed {
		select {
		case l.events <- e:
			return e.stored
		default:
		}
		if until != nil {
			select {
			case l.events <- e:
				return e.stored
			case <-until:
			}
		}
	}
	l.lost.Lock()
	l.dropped++
	l.lost.Unlock()
	close(e.stored)
	return e.stored
}

// run stores events until the log is closed.
func (l *Log) run() {
	var next *entry
	for {
		if next == nil {
			e, ok := <-l.events
			if !ok {
				return
			}
			next = &e
		}
		var batch []entry
		batch, next = l.gather(*next)
		l.store(batch)
	}
}

// gather returns the first event with those of its kind that come behind it, and the
// first that is not of the batch, if any. Only submissions wait for more.
func (l *Log) gather(first entry) (batch []entry, next *entry) {
	wait := time.Duration(0)
	if first.Action == SubmitJob {
		wait = linger
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	batch = []entry{first}
	for len(batch) < maxBatch {
		select {
		case e, ok := <-l.events:
			if !ok {
				return batch, nil
			}
			if e.kind() != first.kind() {
				return batch, &e
			}
			batch = append(batch, e)
		case <-timer.C:
			return batch, nil
		}
	}
	return batch, nil
}

// store stores events of one kind as one message.
func (l *Log) store(batch []entry) {
	defer func() {
		for _, e := range batch {
			close(e.stored)
		}
	}()
	events := make([]Event, len(batch))
	for i, e := range batch {
		events[i] = e.Event
	}
	ctx, cancel := context.WithTimeout(context.Background(), storeTimeout)
	defer cancel()
	data, err := json.Marshal(events)
	if err == nil {
		err = l.records.AppendAudit(ctx, batch[0].kind(), data)
	}
	l.lost.Lock()
	defer l.lost.Unlock()
	if err != nil {
		l.dropped += len(batch)
		l.log.Warn("audit log not stored", zap.Int("events", len(batch)), zap.Error(err))
		return
	}
	if l.dropped > 0 {
		l.log.Warn("audit log stored again; some events are in this log only", zap.Int("dropped", l.dropped))
		l.dropped = 0
	}
}
