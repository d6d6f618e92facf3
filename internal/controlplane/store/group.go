package store

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// A stream syncs one write after the other, and an atomic batch once for all of its
// messages, but with some syncs more for the batch itself. So few writes at a time are
// stored alone, which is fastest for each, and many are stored in batches. While a batch
// is on its way the others wait, and make the next one larger: the stream stores them one
// after the other anyway.
const (
	// maxAlone is how many writes are stored alone at a time; others wait.
	maxAlone = 4
	// minBatch is how many waiting writes are stored as a batch.
	minBatch = 6
	// maxBatch and maxBatchBytes bound a batch. The server accepts 1,000 messages.
	maxBatch      = 500
	maxBatchBytes = 4 << 20
	// maxGrouped is the size of the largest message, in bytes, that is part of a batch.
	maxGrouped = 64 << 10
	// minBatchRoom is the free space of the embedded server, in bytes, with which a batch is
	// begun: what a batch writes, in its own files and in the stream, and as much again. The
	// server never ends a batch whose files it could not write: it keeps a goroutine of it,
	// and counts it among the few that it allows at a time.
	minBatchRoom = 4 * maxBatchBytes
)

// group stores the messages of one stream, in batches when there are many. The messages
// of a batch do not depend on each other: they share the sync. If one is refused, the
// server refuses the batch, and each message is stored alone. Its methods may be called
// concurrently.
type group struct {
	// alone stores a message and returns its sequence. batch stores all messages or
	// none, and returns the sequence of the last one; those of the others directly
	// precede it. Both return the errors of NATS.
	alone func(context.Context, *nats.Msg) (uint64, error)
	batch func([]*nats.Msg) (uint64, error)
	// hasRoom reports whether the disk has room for a batch. It must not block.
	hasRoom func() bool
	// timeout returns how long a write may take, its wait included. It is not a context,
	// of which each write would need several.
	timeout func(context.Context) time.Duration
	// dead ends the writes that wait, with errEnding.
	dead <-chan struct{}

	committing sync.WaitGroup // the goroutines of batches

	mu       sync.Mutex
	enabled  bool // whether the server accepts batches
	ended    bool // no batch is begun any more
	waiting  []*groupedWrite
	alones   int  // how many writes are being stored alone
	batching bool // a batch is being stored
}

// groupedWrite is a write that waits for its turn.
type groupedWrite struct {
	msg   *nats.Msg
	until time.Time // when it expires
	// decided receives one decision.
	decided chan decision
	// gone is set if the caller has left while the write was part of a batch. The lock
	// of the group guards it.
	gone bool
}

// decision is what becomes of a write that waited: it is stored alone, by its caller,
// or was stored with others.
type decision struct {
	alone    bool
	sequence uint64
	err      error
}

// enable sets whether the server accepts batches.
func (g *group) enable(enabled bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.enabled = enabled && !g.ended
	g.next()
}

// end returns when no batch is on its way, and has no other begin.
func (g *group) end() {
	g.mu.Lock()
	g.ended = true
	g.mu.Unlock()
	g.enable(false)
	g.committing.Wait()
}

// write stores a message and returns its sequence. It returns the errors of NATS. A
// message that waits when ctx ends, or the timeout, is not stored; one that is on its way
// may be stored.
func (g *group) write(ctx context.Context, msg *nats.Msg) (uint64, error) {
	if msg.Size() > maxGrouped {
		return g.alone(ctx, msg)
	}
	timeout := g.timeout(ctx)
	w := &groupedWrite{msg: msg, decided: make(chan decision, 1), until: time.Now().Add(timeout)}
	expired := time.NewTimer(timeout)
	defer expired.Stop()
	g.mu.Lock()
	g.waiting = append(g.waiting, w)
	g.next()
	g.mu.Unlock()
	var cause error
	select {
	case d := <-w.decided:
		return g.follow(ctx, w, d)
	case <-ctx.Done():
		cause = context.Cause(ctx)
	case <-expired.C:
		cause = context.DeadlineExceeded
	case <-g.dead:
		cause = errEnding
	}
	g.mu.Lock()
	if i := slices.Index(g.waiting, w); i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	select {
	case d := <-w.decided: // just before
		g.mu.Unlock()
		return g.follow(ctx, w, d)
	default:
	}
	w.gone = true
	g.mu.Unlock()
	return 0, cause
}

// follow does what was decided about a write.
func (g *group) follow(ctx context.Context, w *groupedWrite, d decision) (uint64, error) {
	if !d.alone {
		return d.sequence, d.err
	}
	defer func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.alones--
		g.next()
	}()
	ctx, cancel := context.WithDeadline(ctx, w.until)
	defer cancel()
	return g.alone(ctx, w.msg)
}

// next decides about the writes that wait. The caller holds the lock.
func (g *group) next() {
	for len(g.waiting) > 0 && !g.batching {
		switch {
		case !g.enabled, len(g.waiting) < minBatch && g.alones < maxAlone:
			g.storeAlone(1)
		case len(g.waiting) >= minBatch:
			if !g.hasRoom() {
				g.storeAlone(len(g.waiting))
				return
			}
			g.batching = true
			batch := g.take()
			g.committing.Go(func() { g.commit(batch) })
		default:
			return // the end of a write calls again
		}
	}
}

// storeAlone has the first n writes that wait stored alone. The caller holds the lock.
func (g *group) storeAlone(n int) {
	for _, w := range g.waiting[:n] {
		g.alones++
		w.decided <- decision{alone: true}
	}
	g.waiting = slices.Delete(g.waiting, 0, n)
}

// take returns the writes of the next batch: those that wait, with one message of a
// subject and as many bytes as a batch may have.
func (g *group) take() (batch []*groupedWrite) {
	subjects, size := map[string]bool{}, 0
	g.waiting = slices.DeleteFunc(g.waiting, func(w *groupedWrite) bool {
		if len(batch) == maxBatch || subjects[w.msg.Subject] || len(batch) > 0 && size+w.msg.Size() > maxBatchBytes {
			return false
		}
		subjects[w.msg.Subject] = true
		size += w.msg.Size()
		batch = append(batch, w)
		return true
	})
	return batch
}

// commit stores a batch and decides about its writes.
func (g *group) commit(batch []*groupedWrite) {
	messages := make([]*nats.Msg, len(batch))
	for i, w := range batch {
		messages[i] = w.msg
	}
	last, err := g.batch(messages)
	_, refused := errors.AsType[*jetstream.APIError](err)
	refused = refused || errors.Is(err, nats.ErrNoResponders) // a cluster without a leader had no commit
	g.mu.Lock()
	defer g.mu.Unlock()
	g.batching = false
	for i, w := range batch {
		if w.gone {
			continue
		}
		if refused { // nothing is stored; for one of them or for the batch as such
			g.alones++
			w.decided <- decision{alone: true}
			continue
		}
		w.decided <- decision{sequence: last - uint64(len(batch)-1-i), err: err} //nolint:gosec // not negative
	}
	g.next()
}

// roomForBatch reports whether a batch of the state can be begun: the last write of the
// stream did not fail, and the disk of the embedded server has room.
func (s *Store) roomForBatch() bool {
	if slices.Contains(s.writes.broken(), stateStream) {
		return false
	}
	// Other servers say themselves what they cannot store.
	return s.embedded == nil || s.embedded.roomForBatch()
}

// publishBatch stores messages of one stream, all or none, and returns the sequence of
// the last one. It returns the errors of publish.
func (s *Store) publishBatch(messages []*nats.Msg) (last uint64, err error) {
	if s.embedded != nil {
		s.embedded.stage()
	}
	err = s.attempt(context.Background(), streamOf(messages[0].Subject), func(ctx context.Context) error {
		batch, err := jetstreamext.NewBatchPublisher(s.js, jetstreamext.BatchFlowControl{})
		if err != nil {
			return err //nolint:wrapcheck // wrap adds what was attempted
		}
		for _, msg := range messages[:len(messages)-1] {
			if err := batch.AddMsg(msg); err != nil {
				return err //nolint:wrapcheck // wrap adds what was attempted
			}
		}
		ack, err := batch.CommitMsg(ctx, messages[len(messages)-1])
		if err != nil {
			return err //nolint:wrapcheck // wrap adds what was attempted
		}
		last = ack.Sequence
		return nil
	})
	for _, msg := range messages { // one that is stored alone next is of no batch
		msg.Header.Del(jetstreamext.BatchIDHeader)
		msg.Header.Del(jetstreamext.BatchSeqHeader)
		msg.Header.Del(jetstreamext.BatchCommitHeader)
	}
	return last, err
}
