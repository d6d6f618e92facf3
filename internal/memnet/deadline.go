package memnet

import (
	"sync"
	"time"
)

// deadline is a point in time that may be moved while goroutines wait for it.
type deadline struct {
	mu    sync.Mutex
	timer *time.Timer
	over  chan struct{} // closed when the deadline has passed
}

func newDeadline() *deadline { return &deadline{over: make(chan struct{})} }

// expired returns a channel that is closed when the deadline has passed. A deadline
// that is set after that has a new channel.
func (d *deadline) expired() <-chan struct{} {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.over
}

// set moves the deadline; the zero time removes it.
func (d *deadline) set(at time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if isClosed(d.over) {
		d.over = make(chan struct{})
	}
	if at.IsZero() {
		return
	}
	over := d.over
	wait := time.Until(at)
	if wait <= 0 {
		close(over)
		return
	}
	d.timer = time.AfterFunc(wait, func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.over == over && !isClosed(over) {
			close(over)
		}
	})
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
