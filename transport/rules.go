package transport //nolint:mnd // this file is where these numbers stand

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// How often and when each call is tried again. The numbers are those of existing
// agents, so that a control plane gets the same load. Three things differ on purpose:
// a chunk is tried again after a 429, Retry-After is respected everywhere, and the
// waits of register and connect are random, because a whole fleet may make these
// calls at once.

func registerRule() rule {
	return rule{tries: 30, waits: about(10 * time.Second), again: Retryable}
}

func connectRule() rule {
	return rule{tries: 10, waits: about(5 * time.Second), again: always}
}

func disconnectRule() rule {
	return rule{tries: 4, waits: every(time.Second), again: always}
}

func heartbeatRule() rule {
	return rule{tries: 10, waits: every(5 * time.Second), again: Retryable}
}

func acceptRule() rule {
	return rule{tries: 30, waits: every(5 * time.Second), again: unansweredAccept}
}

func acquireRule() rule {
	return rule{tries: 7, waits: doubling(-time.Second, 5*time.Second), again: acquirable, limit: 330 * time.Second}
}

func startRule() rule {
	return rule{tries: 7, waits: doubling(0, 0), again: Retryable}
}

// deliverRule is for the chunks of a log and the finish, which should not be lost.
// Eleven waits add up to about ten minutes.
func deliverRule() rule {
	waits := func() backoff.BackOff {
		return &backoff.ExponentialBackOff{
			InitialInterval: 2 * time.Second, Multiplier: 1.6, RandomizationFactor: 0.2, MaxInterval: time.Hour,
		}
	}
	return rule{tries: 12, waits: waits, again: Retryable, limit: time.Hour}
}

func always(error) bool { return true }

// unansweredAccept reports whether the control plane may not have responded to an
// accept, so that it is unknown whether the job is accepted. A response of the
// control plane itself is final, even a 500, and so is a status between 400 and 499
// from a proxy, except 429; a gateway's 502 says nothing about the job.
func unansweredAccept(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return !status.FromControlPlane && status.retryable()
	}
	return Retryable(err)
}

// acquirable reports whether to try an acquire again: also while the job waits for
// another one.
func acquirable(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code == http.StatusLocked || Retryable(err)
}

// about returns schedules of random waits between a half and one and a half times
// the given one.
func about(wait time.Duration) func() backoff.BackOff {
	return func() backoff.BackOff {
		return &backoff.ExponentialBackOff{InitialInterval: wait, Multiplier: 1, RandomizationFactor: 0.5, MaxInterval: wait}
	}
}

func every(wait time.Duration) func() backoff.BackOff {
	return func() backoff.BackOff { return backoff.NewConstantBackOff(wait) }
}

// doubling returns schedules of 1, 2, 4, ... seconds, each with a random part
// between least and most added.
func doubling(least, most time.Duration) func() backoff.BackOff {
	return func() backoff.BackOff { return &doublingBackOff{next: time.Second, least: least, most: most} }
}

type doublingBackOff struct{ next, least, most time.Duration }

// Reset implements [backoff.BackOff].
func (d *doublingBackOff) Reset() { d.next = time.Second }

// NextBackOff implements [backoff.BackOff].
func (d *doublingBackOff) NextBackOff() time.Duration {
	jitter := d.least + time.Duration(rand.Float64()*float64(d.most-d.least)) //nolint:gosec // spreading load needs no secrecy
	wait := max(0, d.next+jitter)
	d.next *= 2
	return wait
}
