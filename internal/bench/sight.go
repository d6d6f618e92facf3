package main

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// occasion is something that the probe sees at the control plane.
type occasion string

const (
	// connected, pinged, accepted, started, finished and beat are requests that arrived.
	connected occasion = "a worker connected"
	pinged    occasion = "a ping"
	accepted  occasion = "an accept"
	started   occasion = "a start"
	finished  occasion = "a finish"
	beat      occasion = "a heartbeat"
	// asked is a stream that an agent asks for, before it is served or not.
	asked occasion = "a stream asked for"
	// spoke is a message that is about to be written on a stream, assigned is one
	// that assigns a job.
	spoke    occasion = "a message on the stream"
	assigned occasion = "an assignment on the stream"
	// killed is a stream that is about to be reset.
	killed occasion = "a stream killed"
)

// sight is one occasion.
type sight struct {
	what occasion
	at   time.Time
	// worker tells workers apart; it is a secret, and never shown. job is set
	// where the occasion is about one.
	worker, job string
}

// A watch hears of every sight since it was begun.
type watch struct {
	mu   sync.Mutex
	seen []sight
	wake chan struct{}
}

func newWatch() *watch { return &watch{wake: make(chan struct{}, 1)} }

func (w *watch) add(s sight) {
	w.mu.Lock()
	w.seen = append(w.seen, s)
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// until gives every sight to done, in order, until that is true. One caller at
// a time.
func (w *watch) until(ctx context.Context, awaited string, done func(sight) bool) error {
	for {
		w.mu.Lock()
		seen := w.seen
		w.seen = nil
		w.mu.Unlock()
		for i, s := range seen {
			if done(s) {
				w.mu.Lock()
				w.seen = append(seen[i+1:], w.seen...)
				w.mu.Unlock()
				return nil
			}
		}
		if len(seen) > 0 {
			continue
		}
		select {
		case <-w.wake:
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w", awaited, context.Cause(ctx))
		}
	}
}

// all takes every sight so far.
func (w *watch) all() []sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}
