package transport

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/transport/pace"
)

// pacer runs the schedule of a session's stream by the clock. It is safe for
// concurrent use, except that one wait runs at a time.
type pacer struct {
	mu       sync.Mutex
	schedule *pace.Schedule
	moved    chan struct{} // the planned attempt has another moment
}

func newPacer(pingInterval time.Duration) *pacer {
	return &pacer{
		schedule: pace.New(pingInterval, rand.Float64),
		moved:    make(chan struct{}, 1),
	}
}

func (p *pacer) start(streamOnly bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.schedule.Start(time.Now(), streamOnly)
}

// ended plans the next attempt, and returns how long until then.
func (p *pacer) ended(event pace.Event, retryAfter time.Duration) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.schedule.End(now, event, retryAfter)
	return p.schedule.Due().Sub(now)
}

func (p *pacer) step(event pace.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.schedule.Step(time.Now(), event) {
		select {
		case p.moved <- struct{}{}:
		default: // not read yet
		}
	}
}

// wait returns nil when the planned attempt is due, or the context's error.
func (p *pacer) wait(ctx context.Context) error {
	timer := time.NewTimer(p.untilDue())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			p.step(pace.AttemptDue)
			return ctx.Err()
		case <-p.moved:
			timer.Reset(p.untilDue())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (p *pacer) untilDue() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.schedule.Due())
}
