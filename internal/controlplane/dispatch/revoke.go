package dispatch

import (
	"context"
	"errors"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// Revoke turns a worker away for good: its session and the tokens of its jobs are
// refused from now on, and its stream ends. A job that it did not start is requeued;
// one that it runs is lost, since nothing of the worker is believed any more.
// Idempotent. Errors as for Pause, but for a worker that has left, which can be revoked.
func (d *Dispatcher) Revoke(ctx context.Context, ref, reason string) (ControlledWorker, error) {
	if err := validateReason(reason, false); err != nil {
		return ControlledWorker{}, err
	}
	return d.control(ctx, ref, workerstate.Event{Kind: workerstate.Revoked, Reason: reason})
}

// Registered returns how many connected workers registered with each token, by its ID.
func (d *Dispatcher) Registered() (counts map[string]int) {
	d.records.view(func(x *schedule.Index) { counts = x.Registered() })
	return counts
}

// RevokeRegistered revokes every worker that registered with a token, and returns
// how many. It goes on past a worker that cannot be stored, and returns the errors
// joined: the caller has ended the token, so these workers are refused as well.
func (d *Dispatcher) RevokeRegistered(ctx context.Context, tokenID, reason string) (n int, err error) {
	var ids []string
	d.records.view(func(x *schedule.Index) { ids = x.RegisteredWith(tokenID) })
	var errs []error
	for _, id := range ids {
		switch _, err := d.Revoke(ctx, id, reason); {
		case err == nil:
			n++
		case !errors.Is(err, ErrNotFound): // else its record has expired
			errs = append(errs, err)
		}
	}
	return n, errors.Join(errs...)
}
