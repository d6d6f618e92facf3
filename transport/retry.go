package transport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"
)

// retryAfterSpread is the most that is added to a Retry-After at random, as a part
// of it.
const retryAfterSpread = 0.1

// rule says how a call is tried again.
type rule struct {
	tries uint // all of them, the first included
	// waits makes the schedule of one call; it is not shared between calls.
	waits func() backoff.BackOff
	// again decides whether an error is worth another try.
	again func(error) bool
	// limit ends the retries once the next wait would go beyond it. Zero is no
	// limit.
	limit time.Duration
}

// retry makes a call as often as its rule has it. The attempt counts from
// zero. The error is the last try's; if the caller's context ended, it is in
// the chain as well.
func retry[T any](ctx context.Context, log *zap.Logger, by rule, try func(attempt int) (T, error)) (T, error) {
	schedule := &obedient{BackOff: by.waits()}
	attempt := 0
	var last error
	result, err := backoff.Retry(ctx,
		func() (T, error) {
			answer, err := try(attempt)
			attempt++
			last = err
			if err == nil {
				return answer, nil
			}
			if ctx.Err() != nil || !by.again(err) {
				return answer, backoff.Permanent(err)
			}
			schedule.retryAfter = RetryAfter(err)
			return answer, err
		},
		backoff.WithBackOff(schedule),
		backoff.WithMaxTries(by.tries),
		backoff.WithMaxElapsedTime(by.limit),
		backoff.WithNotify(func(err error, wait time.Duration) {
			level := zap.DebugLevel
			if attempt == 1 {
				level = zap.WarnLevel // once per call is enough for people
			}
			log.Log(level, "a call failed and is tried again",
				zap.Error(err), zap.Int("attempt", attempt), zap.Duration("wait", wait))
		}),
	)
	if permanent, ok := errors.AsType[*backoff.PermanentError](err); ok {
		err = permanent.Err // also what ends the last permitted try
	}
	if err != nil && last != nil && !errors.Is(err, last) {
		// The wait was cut short: the library gives the reason, the last try
		// says what it was waiting for.
		err = fmt.Errorf("%w; before that: %w", &failure{kind: callerEnded, err: err}, last)
	}
	return result, err
}

// obedient is a schedule that gives way to what the last answer asked for.
type obedient struct {
	backoff.BackOff

	retryAfter time.Duration // of the last answer; zero is none
}

// NextBackOff implements [backoff.BackOff].
func (o *obedient) NextBackOff() time.Duration {
	next := o.BackOff.NextBackOff()
	if o.retryAfter > 0 && next != backoff.Stop {
		next = spread(o.retryAfter)
	}
	return next
}
