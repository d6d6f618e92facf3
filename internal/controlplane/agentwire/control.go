package agentwire

import (
	"cmp"
	"fmt"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Reasons that are recorded when the caller states none.
const (
	stopReason  = "stopped from its own machine"
	pauseReason = "paused from its own machine"
)

// maxPauseMinutes is the longest pause that ends by itself: a year.
const maxPauseMinutes = 365 * 24 * 60

// onWorker adapts a call about one worker: the calling worker, or the worker of
// the calling job.
func onWorker(handle func(r *http.Request, workerID string, by workerstate.PausedBy) (any, error)) handlerFunc {
	return func(r *http.Request, caller caller) (any, error) {
		if caller.workerID != "" {
			return handle(r, caller.workerID, workerstate.ByWorker)
		}
		return handle(r, caller.job.WorkerID(), workerstate.ByJob)
	}
}

func (h *Handler) stop(r *http.Request, workerID string, _ workerstate.PausedBy) (any, error) {
	req, err := decodeJSON[wire.StopRequest](r.Body)
	if err != nil {
		return nil, err
	}
	if _, err := h.dispatcher.Stop(r.Context(), workerID, dispatch.Stopping{Force: req.Force, Reason: stopReason}); err != nil {
		return nil, fmt.Errorf("stopping a worker: %w", err)
	}
	return empty{}, nil
}

func (h *Handler) pause(r *http.Request, workerID string, by workerstate.PausedBy) (any, error) {
	req, err := decodeJSON[wire.PauseRequest](r.Body)
	if err != nil {
		return nil, err
	}
	if req.TimeoutInMinutes < 0 || req.TimeoutInMinutes > maxPauseMinutes {
		return nil, unprocessable(fmt.Sprintf("timeout_in_minutes is %d, must be 0 to %d; with 0 the pause lasts until the worker is resumed",
			req.TimeoutInMinutes, maxPauseMinutes))
	}
	reason, lasts := cmp.Or(req.Note, pauseReason), time.Duration(req.TimeoutInMinutes)*time.Minute
	if lasts > 0 {
		reason += fmt.Sprintf(" (for %d minutes)", req.TimeoutInMinutes)
	}
	if _, err := h.dispatcher.PauseFor(r.Context(), workerID, reason, by, lasts); err != nil {
		return nil, fmt.Errorf("pausing a worker: %w", err)
	}
	return empty{}, nil
}

func (h *Handler) resume(r *http.Request, workerID string, by workerstate.PausedBy) (any, error) {
	if _, err := h.dispatcher.Resume(r.Context(), workerID, by); err != nil {
		return nil, fmt.Errorf("resuming a worker: %w", err)
	}
	return empty{}, nil
}
