package worker

import "time"

// pollPace computes when the next ping is due. The zero value is ready.
type pollPace struct {
	blockedUntil time.Time // the control plane wants no ping before
}

// holdOff blocks pings for a time after now, as asked for by Retry-After. Zero
// changes nothing.
func (p *pollPace) holdOff(now time.Time, wait time.Duration) {
	if wait > 0 {
		p.blockedUntil = now.Add(wait)
	}
}

// now returns the wait before a ping that is due at once: zero, unless pings are
// blocked. Then jitter in [0, 1) adds a part of the interval, so that workers
// which were blocked together do not come back together.
func (p *pollPace) now(now time.Time, interval time.Duration, jitter float64) time.Duration {
	if blocked := p.blockedUntil.Sub(now); blocked > 0 {
		return blocked + time.Duration(jitter*float64(interval))
	}
	return 0
}

// later returns the wait before the next regular ping: between half an interval
// and one and a half, by jitter in [0, 1), so that workers which fell back
// together soon poll at different times.
func (p *pollPace) later(now time.Time, interval time.Duration, jitter float64) time.Duration {
	return max(interval/2, p.blockedUntil.Sub(now)) + time.Duration(jitter*float64(interval))
}
