package transport

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// The numbers of the rules by which calls are tried again: all tries, the
// first included, and the waits between them. They are those of existing
// agents, so that a control plane sees the same load from ours.
const (
	registerTries, registerWait     = 30, 10 * time.Second
	connectTries, connectWait       = 10, 5 * time.Second
	disconnectTries, disconnectWait = 4, time.Second
	heartbeatTries, heartbeatWait   = 10, 5 * time.Second
	acceptTries, acceptWait         = 30, 5 * time.Second
	acquireTries, acquireLimit      = 7, 330 * time.Second
	startTries                      = 7
	deliverTries, deliverLimit      = 12, time.Hour

	// Each wait of an acquire has a jitter between these added.
	acquireJitterLeast, acquireJitterMost = -time.Second, 5 * time.Second
)

// The rules. Three things differ from existing agents on purpose: a chunk that
// meets a 429 is kept and tried again, Retry-After is obeyed everywhere, and a
// fleet that registers or connects again is spread.

func registerRule() rule {
	return rule{tries: registerTries, waits: about(registerWait), again: Retryable}
}

// Connecting and disconnecting are worth another try whatever the answer.
func connectRule() rule {
	return rule{tries: connectTries, waits: about(connectWait), again: always}
}

func disconnectRule() rule {
	return rule{tries: disconnectTries, waits: every(disconnectWait), again: always}
}

func heartbeatRule() rule {
	return rule{tries: heartbeatTries, waits: every(heartbeatWait), again: Retryable}
}

func acceptRule() rule {
	return rule{tries: acceptTries, waits: every(acceptWait), again: unansweredAccept}
}

func acquireRule() rule {
	return rule{
		tries: acquireTries, waits: doubling(acquireJitterLeast, acquireJitterMost),
		again: acquirable, limit: acquireLimit,
	}
}

func startRule() rule {
	return rule{tries: startTries, waits: doubling(0, 0), again: Retryable}
}

// deliverRule is for what must not get lost if it can be helped: the chunks of
// a log, and the finish.
func deliverRule() rule {
	return rule{tries: deliverTries, waits: tenMinutes, again: Retryable, limit: deliverLimit}
}

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

// about makes waits of a half to one and a half of the given one, for calls that
// a whole fleet may make at the same moment: after an outage, say.
func about(wait time.Duration) func() backoff.BackOff {
	const half = 0.5
	return func() backoff.BackOff {
		return &backoff.ExponentialBackOff{
			InitialInterval: wait, Multiplier: 1, RandomizationFactor: half, MaxInterval: wait,
		}
	}
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
	const growth = 2
	return func() backoff.BackOff {
		return &doublingBackOff{
			exponential: backoff.ExponentialBackOff{InitialInterval: time.Second, Multiplier: growth, MaxInterval: time.Hour},
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
