package transport

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The rules by which calls are tried again. The numbers are those of existing
// agents, so that a control plane sees the same load from ours. Two differ on
// purpose: a chunk that meets a 429 is kept and tried again, and Retry-After
// is obeyed everywhere.
var ( //nolint:gochecknoglobals // a table that nobody writes to
	registerRule = rule{tries: 30, waits: every(10 * time.Second), again: Retryable}
	// Connecting and disconnecting are worth another try whatever the answer.
	connectRule    = rule{tries: 10, waits: every(5 * time.Second), again: always}
	disconnectRule = rule{tries: 4, waits: every(time.Second), again: always}
	heartbeatRule  = rule{tries: 10, waits: every(5 * time.Second), again: Retryable}
	acceptRule     = rule{tries: 30, waits: every(5 * time.Second), again: unansweredAccept}
	acquireRule    = rule{
		tries: 7, waits: doubling(-time.Second, 5*time.Second), again: acquirable, limit: 330 * time.Second,
	}
	startRule  = rule{tries: 7, waits: doubling(0, 0), again: Retryable}
	chunkRule  = rule{tries: 12, waits: tenMinutes, again: Retryable, limit: time.Hour}
	finishRule = rule{tries: 12, waits: tenMinutes, again: Retryable, limit: time.Hour}
)

func always(error) bool { return true }

// unansweredAccept reports whether an accept got no answer of the control
// plane, so that whether the job was granted is not known. Accepting again is
// the same acceptance until the job is started. What the control plane says
// itself ends the attempt, even if it is a 500, and so does a status of the
// 400s (but 429) from anyone; a gateway's 502 says nothing about the job.
func unansweredAccept(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return !status.FromControlPlane && status.retryable()
	}
	return Retryable(err)
}

// acquirable adds to the usual reasons a job that waits for another one.
func acquirable(err error) bool {
	status, ok := errors.AsType[*StatusError](err)
	return ok && status.Code == http.StatusLocked || Retryable(err)
}

func every(wait time.Duration) func() backoff.BackOff {
	return func() backoff.BackOff { return backoff.NewConstantBackOff(wait) }
}

// tenMinutes makes the waits between the tries of a chunk or a finish: from
// two seconds on, growing so that eleven of them come to about ten minutes.
func tenMinutes() backoff.BackOff {
	const (
		first  = 2 * time.Second
		growth = 1.6
		spread = 0.2
	)
	return &backoff.ExponentialBackOff{
		InitialInterval: first, Multiplier: growth, RandomizationFactor: spread, MaxInterval: time.Hour,
	}
}

// doubling makes waits of 1, 2, 4, ... seconds, each with a jitter between the
// two bounds added.
func doubling(least, most time.Duration) func() backoff.BackOff {
	return func() backoff.BackOff {
		return &doublingBackOff{
			exponential: backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: 2, MaxInterval: time.Hour},
			least:       least, most: most,
		}
	}
}

type doublingBackOff struct {
	exponential backoff.ExponentialBackOff
	least, most time.Duration
}

// Reset implements [backoff.BackOff].
func (d *doublingBackOff) Reset() { d.exponential.Reset() }

// NextBackOff implements [backoff.BackOff].
func (d *doublingBackOff) NextBackOff() time.Duration {
	jitter := d.least + time.Duration(rand.Float64()*float64(d.most-d.least)) //nolint:gosec // spreading load needs no secrecy
	return max(0, d.exponential.NextBackOff()+jitter)
}
