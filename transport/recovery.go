package transport

import (
	"context"
	"sync"
	"time"
)

// contact is what the calls and streams of an agent show about outages of its control
// plane. The zero value is ready. It is safe for concurrent use.
type contact struct {
	mu      sync.Mutex
	down    bool          // something has failed since the last success
	outages uint64        // that have ended
	success chan struct{} // closed at the next success; nil while nobody waits for it
}

// observe notes the outcome of a call. A refusal by the control plane shows that it
// can be reached. The failure of a delivery does not begin an outage: a delivery must
// not bring itself forward.
func (c *contact) observe(err error, delivery bool) {
	switch {
	case err == nil || Refused(err):
		c.succeeded()
	case Retryable(err) && !delivery:
		c.failed()
	}
}

func (c *contact) succeeded() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.down {
		c.down = false
		c.outages++
	}
	if c.success != nil {
		close(c.success)
		c.success = nil
	}
}

func (c *contact) failed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.down = true
}

// ended returns how many outages have ended.
func (c *contact) ended() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.outages
}

// next returns how many outages have ended, and a channel that is closed at the next
// success.
func (c *contact) next() (outages uint64, success <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.success == nil {
		c.success = make(chan struct{})
	}
	return c.outages, c.success
}

// Recovery decides when a waiting delivery is tried before its time: when any call or
// stream of the agent reaches the control plane again. A wait is cut short once by a
// success, and once more by the end of each outage, so that a delivery that fails while
// other calls succeed is tried at most twice as often as its schedule says. It is for
// one goroutine.
type Recovery struct {
	contact *contact
	outages uint64 // that had ended before the last try
	cut     bool   // the present wait was cut short
}

// Recovery returns what decides about one delivery, which is tried for the first time
// after this call.
func (t *Transport) Recovery() *Recovery {
	return &Recovery{contact: &t.contact, outages: t.contact.ended()}
}

// Wait returns false at due, or true at a recovery before that. A recovery before
// notBefore counts then. After true, one more try may be made and Wait be called again
// for the rest of the wait. It returns false at once when the context ends.
func (r *Recovery) Wait(ctx context.Context, notBefore, due time.Time) (early bool) {
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	for !early {
		outages, success := r.contact.next()
		if outages != r.outages {
			break
		}
		select {
		case <-success:
			early = !r.cut
		case <-timer.C:
			r.begin(false)
			return false
		case <-ctx.Done():
			return false
		}
	}
	if early = notBefore.Before(due); early {
		timer.Reset(time.Until(notBefore))
	}
	select {
	case <-timer.C:
		r.begin(early)
		return early
	case <-ctx.Done():
		return false
	}
}

// begin notes that a try begins.
func (r *Recovery) begin(early bool) {
	r.cut = early
	r.outages = r.contact.ended()
}
