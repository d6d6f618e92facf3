package job

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// stateTimeout bounds one request for the job's state, so that one lost response
// does not hide a cancellation.
const stateTimeout = 10 * time.Second

// watchState requests the job's state until ctx ends, and cancels the job when the
// state says so. It waits for the interval plus a random part of the same length, so
// that many agents do not request at once (wire-facts, section 3, GET jobs/{id}).
func watchState(ctx context.Context, cp ControlPlane, interval time.Duration, cancel context.CancelCauseFunc, logger *zap.Logger) {
	wait := func() time.Duration { return interval + rand.N(interval) } //nolint:gosec // it spreads load
	timer := time.NewTimer(wait())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if cause := requestState(ctx, cp, logger); cause != nil {
			logger.Info("job canceled by the control plane", zap.NamedError("cause", cause))
			cancel(cause)
			return
		}
		timer.Reset(wait())
	}
}

// requestState requests the state once. It returns the cause of a cancellation, or
// nil if the job is not canceled.
func requestState(ctx context.Context, cp ControlPlane, logger *zap.Logger) error {
	ctx, cancel := context.WithTimeout(ctx, stateTimeout)
	defer cancel()
	state, err := cp.State(ctx)
	switch {
	case errors.Is(err, ErrTokenInvalid):
		return ErrTokenInvalid
	case err != nil:
		logger.Debug("could not get the job's state", zap.Error(err))
		return nil
	}
	switch state {
	case wire.StateCanceling, wire.StateCanceled:
		return ErrCanceled
	case wire.StateTimingOut, wire.StateTimedOut:
		return ErrTimedOut
	default:
		return nil
	}
}
