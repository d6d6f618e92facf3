package transport

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
)

// rule is how a call is tried again.
type rule struct {
	tries int // all of them, the first included
	// wait returns the time between a try and the next; tries count from zero.
	wait func(attempt int) time.Duration
	// again reports whether to try again after an error.
	again func(error) bool
	// limit ends the retries once the next wait would exceed it. Zero means no limit.
	limit time.Duration
	// recovers means that a [Recovery] may cut a wait short, for a try that does not
	// count.
	recovers bool
}

// The rules. The numbers are those of existing agents, so that a control plane gets
// the same load. Four things differ on purpose: a chunk is tried again after a 429,
// Retry-After is respected everywhere, the waits of register and connect are random,
// because a whole fleet may make these calls at once, and those of register begin with a
// second, for an agent that is started just before its control plane. They add up to five
// minutes, and those of a delivery, which is a chunk or a finish, to about ten.

func registerRule() rule {
	wait := func(attempt int) time.Duration {
		return about(min(growing(time.Second, 2, attempt), 10*time.Second))(attempt)
	}
	return rule{tries: 33, wait: wait, again: registrable}
}

// registrable reports whether to try to register again. A port without TLS at an https
// endpoint is a mistake in the configuration, of which a person is to learn at once.
func registrable(err error) bool {
	return Retryable(err) && !errors.Is(err, httpclient.ErrNoTLS)
}

func connectRule() rule {
	return rule{tries: 10, wait: about(5 * time.Second), again: always}
}

func disconnectRule() rule {
	return rule{tries: 4, wait: every(time.Second), again: always}
}

func heartbeatRule() rule {
	return rule{tries: 10, wait: every(5 * time.Second), again: Retryable}
}

func acceptRule() rule {
	return rule{tries: 30, wait: every(5 * time.Second), again: unansweredAccept}
}

func acquireRule() rule {
	wait := func(attempt int) time.Duration {
		return max(0, growing(time.Second, 2, attempt)+between(-time.Second, 5*time.Second))
	}
	return rule{tries: 7, wait: wait, again: acquirable, limit: 330 * time.Second}
}

func startRule() rule {
	wait := func(attempt int) time.Duration { return growing(time.Second, 2, attempt) }
	return rule{tries: 7, wait: wait, again: Retryable}
}

func deliverRule() rule {
	wait := func(attempt int) time.Duration {
		wait := growing(2*time.Second, 1.6, attempt)
		return between(wait*4/5, wait*6/5)
	}
	return rule{tries: 12, wait: wait, again: Retryable, limit: time.Hour, recovers: true}
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

// every returns the same wait for each try.
func every(wait time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return wait }
}

// about returns random waits between a half and one and a half times the given one.
func about(wait time.Duration) func(int) time.Duration {
	return func(int) time.Duration { return between(wait/2, wait+wait/2) }
}

// growing returns a wait that grows by a factor with each attempt.
func growing(first time.Duration, factor float64, attempt int) time.Duration {
	return time.Duration(float64(first) * math.Pow(factor, float64(attempt)))
}

// between returns a uniformly random duration.
func between(least, most time.Duration) time.Duration {
	return least + time.Duration(rand.Float64()*float64(most-least)) //nolint:gosec // spreading load needs no secrecy
}

// retry calls try until it succeeds or the rule ends the retries. The attempt counts
// from zero. A wait is that of the rule or, where a Retry-After asks for more, that. So
// a short Retry-After does not use up the tries of the rule early. The error is that of
// the last try; if the caller's context ended, its cause is in the chain too.
func (t *Transport) retry(ctx context.Context, by rule, try func(attempt int) error) error {
	begun := time.Now()
	recovery := t.Recovery()
	seen := map[string]bool{}
	for attempt := 0; ; attempt++ {
		err := try(attempt)
		if by.over(ctx, err) || attempt+1 == by.tries {
			return err
		}
		wait := max(by.wait(attempt), spread(RetryAfter(err)))
		if by.limit > 0 && time.Since(begun)+wait > by.limit {
			return err
		}
		level := zap.DebugLevel
		if cause := causeOf(err); !seen[cause] {
			seen[cause] = true
			level = zap.WarnLevel // once per call and cause is enough for people
		}
		t.log.Log(level, "call failed; will retry",
			zap.Error(err), zap.Int("attempt", attempt+1), zap.Duration("wait", wait))
		for due := time.Now().Add(wait); by.early(ctx, recovery, due, err); {
			if err = try(attempt); by.over(ctx, err) {
				return err
			}
			due = later(due, time.Now().Add(by.least(err)))
		}
		if ctx.Err() != nil {
			ended := &failure{kind: callerEnded, err: context.Cause(ctx)}
			return fmt.Errorf("%w; before that: %w", ended, err)
		}
	}
}

// over reports whether a try with this error is the last one.
func (r rule) over(ctx context.Context, err error) bool {
	return err == nil || ctx.Err() != nil || !r.again(err)
}

// early waits until the next try is due, or the context ends. It reports true if a
// recovery comes before that; err is the error of the last try.
func (r rule) early(ctx context.Context, recovery *Recovery, due time.Time, err error) bool {
	notBefore := due
	if r.recovers {
		notBefore = time.Now().Add(r.least(err))
	}
	return recovery.Wait(ctx, notBefore, due)
}

// least returns the shortest wait after a try with this error, whatever recovers.
func (r rule) least(err error) time.Duration { return max(r.wait(0), spread(RetryAfter(err))) }

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
