package job

import (
	"context"
	"errors"
	"time"
)

// leaving tells whether a job cancelled for this cause ends because its agent
// does.
func leaving(cause error) bool {
	return !errors.Is(cause, ErrCanceled) && !errors.Is(cause, ErrTimedOut) && !errors.Is(cause, ErrTokenInvalid)
}

// linger gives a context for what must be done after the job, and so outlives
// the end of ctx. It ends after timeout, or, when the agent stops, leave later,
// before or after the call.
func linger(ctx context.Context, timeout, leave time.Duration) (context.Context, context.CancelFunc) {
	lingering, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	stop := context.AfterFunc(ctx, func() {
		if !leaving(context.Cause(ctx)) {
			return
		}
		timer := time.NewTimer(leave)
		defer timer.Stop()
		select {
		case <-timer.C:
			cancel()
		case <-lingering.Done():
		}
	})
	return lingering, func() {
		stop()
		cancel()
	}
}
