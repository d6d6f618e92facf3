package transport

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

const (
	// startWindow is the window of a process's first attempt.
	startWindow = 100 * time.Millisecond
	// promptWindow is the first window after a stream that was healthy, and
	// the one that a ping earns.
	promptWindow = time.Second
	// leastWindow is the shortest further window where somebody polls.
	leastWindow = 10 * time.Second
	// mostWindow is where doubling ends.
	mostWindow = 64 * time.Second

	// refusedWait is how long a refused stream is left alone, give or take
	// refusedSpread of it.
	refusedWait   = 10 * time.Minute
	refusedSpread = 0.2
)

// Pacer decides when the stream is tried again.
//
// An attempt is made at a uniformly random moment of a window, and the rest of
// the window is waited out, so that a fleet does not march in step. The first
// window of a process is 100 ms, the first one after a healthy stream a
// second. Every further one is the ping interval, but ten seconds at least
// where somebody polls, and doubles up to 64 seconds while nothing can be
// reached. A refused stream is left alone for about ten minutes.
//
// Evidence beats waiting: while pings succeed, the window does not double. The
// first ping that succeeds after failures earns one attempt within a second,
// once for each outage of the stream.
//
// Its methods may be called concurrently.
type Pacer struct {
	pingInterval time.Duration
	random       func() float64 // uniform in [0, 1)

	mu sync.Mutex

	// The windows. length is that of the next one; end is where the one in
	// progress ends.
	base     time.Duration // of further windows, before any doubling
	length   time.Duration
	end      time.Time
	failures int  // attempts in a row that brought no message
	spoken   bool // the attempt in progress has brought one

	// What the control plane asked for; zero is nothing.
	notBefore    time.Time // by Retry-After
	refusedUntil time.Time

	// The attempt being waited for.
	waiting bool
	due     time.Time
	moved   chan struct{} // due was brought forward

	// The evidence of pings. reachedAt is when the last one succeeded, zero if
	// it failed.
	reachedAt   time.Time
	unreachable bool // since the stream was last healthy, a ping failed or the window doubled
	earned      bool // the prompt attempt of this outage has been granted
	owed        bool // it was granted during an attempt, and is for the next one
}

// newPacer is the pacer of a session whose control plane asked for this
// interval between pings.
func newPacer(pingInterval time.Duration) *Pacer {
	return &Pacer{
		pingInterval: pingInterval,
		random:       rand.Float64, // spreading load needs no secrecy
		base:         max(leastWindow, pingInterval),
		length:       startWindow,
		moved:        make(chan struct{}, 1),
	}
}

// PingSucceeded tells the pacer that the control plane answered a ping,
// whatever the answer.
func (p *Pacer) PingSucceeded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.reachedAt = now
	if !p.unreachable || p.earned {
		return
	}
	p.earned = true
	if !p.waiting {
		p.owed = true
		return
	}
	start := later(now, p.notBefore)
	if due := p.moment(start, promptWindow); due.Before(p.due) {
		p.due, p.end = due, start.Add(promptWindow)
		select {
		case p.moved <- struct{}{}:
		default: // it has been told already
		}
	}
}

// PingFailed tells the pacer that the control plane did not answer a ping.
func (p *Pacer) PingFailed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reachedAt = time.Time{}
	p.unreachable = true
}

// begin says whether anybody polls.
func (p *Pacer) begin(streamOnly bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.base = max(leastWindow, p.pingInterval)
	if streamOnly {
		p.base = p.pingInterval
	}
}

// wait returns nil when the next attempt is due, or the context's error.
func (p *Pacer) wait(ctx context.Context) error {
	p.plan(time.Now())
	timer := time.NewTimer(p.untilDue())
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			p.mu.Lock()
			p.waiting = false
			p.mu.Unlock()
			return ctx.Err()
		case <-p.moved:
			timer.Reset(p.untilDue())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// plan picks the moment of the next attempt.
func (p *Pacer) plan(now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.waiting, p.spoken = true, false
	switch {
	case p.owed:
		start := later(now, p.notBefore)
		p.due, p.end = p.moment(start, promptWindow), start.Add(promptWindow)
	case p.refusedUntil.After(p.notBefore):
		p.due = p.refusedUntil
		p.end = p.due
	default:
		start := later(now, later(p.end, p.notBefore))
		p.due, p.end = p.moment(start, p.length), start.Add(p.length)
	}
	// What Retry-After asked stays: a ping's success may yet bring the attempt
	// forward.
	p.owed, p.refusedUntil = false, time.Time{}
}

func (p *Pacer) untilDue() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Until(p.due)
}

// spoke is told of the first message of a connection: the stream is healthy.
func (p *Pacer) spoke() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.spoken = true
	p.failures = 0
	p.length = promptWindow
	// Of a long window, no more than a short one's rest is waited out.
	p.end = earlier(p.end, p.due.Add(promptWindow))
	p.unreachable, p.earned, p.owed = false, false, false
}

// over is told how an attempt ended, and how long the control plane wants to
// be left alone (zero: it did not say).
func (p *Pacer) over(kind StreamEventKind, retryAfter time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	p.notBefore = now.Add(retryAfter)
	if kind == StreamRefused {
		spread := 1 + refusedSpread*(2*p.random()-1)
		p.refusedUntil = now.Add(time.Duration(spread * float64(refusedWait)))
	}
	if p.spoken {
		return // the next window is that after a healthy stream
	}
	p.failures++
	switch {
	case kind == StreamRefused:
		// It was reached, so a loss after it is the first one.
		p.failures, p.length = 0, p.base
	case p.failures == 1 || p.reachable(now):
		p.length = p.base
	default:
		p.length = min(p.length+p.length, max(mostWindow, p.base))
		p.unreachable = true
	}
}

// refreshed is told that an attempt was ended in favour of another: that one
// comes within a second, and nothing has failed.
func (p *Pacer) refreshed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owed = true
}

// reachable reports whether pings succeed: the last one did, and it is not
// older than two pings can be apart (an interval, its jitter, and the time to
// answer).
func (p *Pacer) reachable(now time.Time) bool {
	return !p.reachedAt.IsZero() && now.Sub(p.reachedAt) <= 2*p.pingInterval+pingTimeout
}

// moment is a random moment of a window.
func (p *Pacer) moment(start time.Time, length time.Duration) time.Time {
	return start.Add(time.Duration(p.random() * float64(length)))
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
