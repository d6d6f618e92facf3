package job

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"
)

// stateTimeout bounds one question for the job's state, so that one lost answer
// does not hide a cancellation.
const stateTimeout = 10 * time.Second

// watchState asks for the job's state until ctx ends, every interval plus a
// uniformly random part of another (wire-facts, section 3, GET jobs/{id}: the
// jitter keeps a fleet's questions apart), and cancels the job when the answer
// says so.
func watchState(ctx context.Context, cp ControlPlane, interval time.Duration, cancel context.CancelCauseFunc, logger *zap.Logger) {
	wait := func() time.Duration { return interval + rand.N(interval) } //nolint:gosec // spreads load, guards nothing
	timer := time.NewTimer(wait())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if cause := askState(ctx, cp, logger); cause != nil {
			logger.Info("the control plane cancels the job", zap.NamedError("cause", cause))
			cancel(cause)
			return
		}
		timer.Reset(wait())
	}
}

// askState asks once and gives the cause for which the job is to be cancelled,
// if any.
func askState(ctx context.Context, cp ControlPlane, logger *zap.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	state, err := cp.State(ctx)
	switch {
	case errors.Is(err, ErrTokenInvalid):
		return ErrTokenInvalid
	case err != nil: // no news is not news
		logger.Debug("the job's state is not known", zap.Error(err))
		return nil
	}
	switch state {
	case "canceling", "canceled":
		return ErrCanceled
	case "timing_out", "timed_out":
		return ErrTimedOut
	default:
		return nil
	}
}
