package agentwire

import (
	"cmp"
	"fmt"
	"net/http"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Reasons that are recorded when the caller states none.
const (
	stopReason  = "stopped from its own machine"
	pauseReason = "paused from its own machine"
)

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

// pause refuses a timeout: the worker would stay paused longer than requested.
func (h *Handler) pause(r *http.Request, workerID string, by workerstate.PausedBy) (any, error) {
	req, err := decodeJSON[wire.PauseRequest](r.Body)
	if err != nil {
		return nil, err
	}
	if req.TimeoutInMinutes != 0 {
		return nil, unprocessable("timeout_in_minutes is not supported: a pause lasts until the worker is resumed; leave it out")
	}
	if _, err := h.dispatcher.Pause(r.Context(), workerID, cmp.Or(req.Note, pauseReason), by); err != nil {
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
