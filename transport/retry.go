package transport

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"
)

// rule is how a call is tried again.
type rule struct {
	tries uint // all of them, the first included
	// waits returns the schedule of one call; calls do not share one.
	waits func() backoff.BackOff
	// again reports whether to try again after an error.
	again func(error) bool
	// limit ends the retries once the next wait would exceed it. Zero is no limit.
	limit time.Duration
}

// retry calls try until it succeeds or the rule ends the retries. The attempt counts
// from zero. The error is that of the last try; if the caller's context ended, its
// cause is in the chain too.
func retry(ctx context.Context, log *zap.Logger, by rule, try func(attempt int) error) error {
	schedule := &retryAfterSchedule{BackOff: by.waits()}
	attempt := 0
	var last error
	_, err := backoff.Retry(ctx,
		func() (struct{}, error) {
			last = try(attempt)
			attempt++
			if last != nil && (ctx.Err() != nil || !by.again(last)) {
				return struct{}{}, backoff.Permanent(last)
			}
			schedule.retryAfter = RetryAfter(last)
			return struct{}{}, last
		},
		backoff.WithBackOff(schedule),
		backoff.WithMaxTries(by.tries),
		backoff.WithMaxElapsedTime(by.limit),
		backoff.WithNotify(func(err error, wait time.Duration) {
			level := zap.DebugLevel
			if attempt == 1 {
				level = zap.WarnLevel // once per call is enough for people
			}
			log.Log(level, "call failed; will retry",
				zap.Error(err), zap.Int("attempt", attempt), zap.Duration("wait", wait))
		}),
	)
	if permanent, ok := errors.AsType[*backoff.PermanentError](err); ok {
		err = permanent.Err // also the error of the last permitted try
	}
	if err != nil && last != nil && !errors.Is(err, last) {
		// The context ended during the wait: name what the wait was for.
		err = fmt.Errorf("%w; before that: %w", &failure{kind: callerEnded, err: err}, last)
	}
	return err
}

// retryAfterSchedule replaces the next wait of a schedule by the Retry-After of the
// last response.
type retryAfterSchedule struct {
	backoff.BackOff

	retryAfter time.Duration // zero is none
}

// NextBackOff implements [backoff.BackOff].
func (s *retryAfterSchedule) NextBackOff() time.Duration {
	next := s.BackOff.NextBackOff()
	if s.retryAfter > 0 && next != backoff.Stop {
		next = spread(s.retryAfter)
	}
	return next
}
