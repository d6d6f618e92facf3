package agentwire

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
)

// Reasons that stand where the caller gives none.
const (
	stopReason  = "stopped from its own machine"
	pauseReason = "paused from its own machine"
)

type stopRequest struct {
	Force bool `json:"force"`
}

func (h *Handler) stop(r *http.Request, caller caller) (any, error) {
	req, err := decodeJSON[stopRequest](r.Body)
	if err != nil {
		return nil, err
	}
	workerID, err := h.worker(r.Context(), caller)
	if err != nil {
		return nil, err
	}
	if _, err := h.dispatcher.Stop(r.Context(), workerID, req.Force, stopReason); err != nil {
		return nil, fmt.Errorf("stopping a worker: %w", err)
	}
	return done{}, nil
}

type pauseRequest struct {
	Note             string `json:"note"`
	TimeoutInMinutes int    `json:"timeout_in_minutes"`
}

// pause refuses a pause that ends by itself: to hold it for ever instead would
// surprise worse than a refusal.
func (h *Handler) pause(r *http.Request, caller caller) (any, error) {
	req, err := decodeJSON[pauseRequest](r.Body)
	if err != nil {
		return nil, err
	}
	if req.TimeoutInMinutes != 0 {
		return nil, &httpError{
			status:  http.StatusUnprocessableEntity,
			message: "timeout_in_minutes: a pause lasts here until the worker is resumed; leave it out",
		}
	}
	workerID, err := h.worker(r.Context(), caller)
	if err != nil {
		return nil, err
	}
	if _, err := h.dispatcher.Pause(r.Context(), workerID, cmp.Or(req.Note, pauseReason)); err != nil {
		return nil, fmt.Errorf("pausing a worker: %w", err)
	}
	return done{}, nil
}

func (h *Handler) resume(r *http.Request, caller caller) (any, error) {
	workerID, err := h.worker(r.Context(), caller)
	if err != nil {
		return nil, err
	}
	if _, err := h.dispatcher.Resume(r.Context(), workerID); err != nil {
		return nil, fmt.Errorf("resuming a worker: %w", err)
	}
	return done{}, nil
}

// worker is the caller, or the worker in whose hands the calling job is.
func (h *Handler) worker(ctx context.Context, caller caller) (string, error) {
	if caller.workerID != "" {
		return caller.workerID, nil
	}
	job, err := h.dispatcher.Job(ctx, caller.job.JobID)
	if err != nil {
		return "", fmt.Errorf("finding the worker of a job: %w", err)
	}
	return job.WorkerID, nil
}
