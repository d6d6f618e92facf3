package agentwire

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/joblog"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// chunkInterval is how long an agent gathers output into a chunk, in seconds.
	chunkInterval = 1
	// lockedRetryAfter is how many seconds an agent waits before it tries again to
	// acquire a job that is offered to another worker.
	lockedRetryAfter = "2"
)

func (h *Handler) acceptedJob(job record.Job, token string) wire.Job {
	response := wire.Job{
		ID: job.ID, State: string(job.State), Env: environment(job), Token: token, Priority: job.Priority,
		ChunkMaxSize: joblog.MaxChunkSize, ChunkInterval: chunkInterval, LogMaxSize: h.dispatcher.MaxLog(),
		RunnableAt: formatTime(job.SubmittedAt),
		// Rounded up, so that the agent does not end the job too early.
		TimeoutSeconds: seconds(job.Timeout + time.Second - 1), Limits: job.Limits,
		TraceParent: job.TraceParent, TraceState: job.TraceState,
	}
	if !job.StartedAt.IsZero() {
		response.StartedAt = formatTime(job.StartedAt)
	}
	return response
}

func (h *Handler) accept(r *http.Request, caller caller) (any, error) {
	job, token, err := h.dispatcher.Accept(r.Context(), caller.workerID, r.PathValue("id"))
	if err != nil {
		return nil, fmt.Errorf("accepting a job: %w", err)
	}
	h.reportMachine(r.Header, caller)
	return h.acceptedJob(job, token), nil
}

// acquire returns 423 if the job is offered to another worker: it may become
// free, so that the caller should try again.
func (h *Handler) acquire(r *http.Request, caller caller) (any, error) {
	id := r.PathValue("id")
	if err := h.mayAcquire(r, caller, id); err != nil {
		return nil, err
	}
	job, token, err := h.dispatcher.Acquire(r.Context(), caller.workerID, id)
	if err == nil {
		return h.acceptedJob(job, token), nil
	}
	if errors.Is(err, dispatch.ErrWrongState) {
		if current, readErr := h.dispatcher.Job(r.Context(), id); readErr == nil && current.State == wire.StateAssigned {
			return nil, &httpError{
				status:     http.StatusLocked,
				message:    "the job is offered to another worker; try again",
				retryAfter: lockedRetryAfter,
			}
		}
	}
	return nil, fmt.Errorf("acquiring a job: %w", err)
}

// mayAcquire returns an error if the token that the worker registered with is limited
// to queues, and the job is of another one. A job never changes its queue.
func (h *Handler) mayAcquire(r *http.Request, caller caller, id string) error {
	if len(caller.registrar.Queues) == 0 {
		return nil
	}
	job, err := h.dispatcher.Job(r.Context(), id)
	if err != nil {
		return fmt.Errorf("acquiring a job: %w", err)
	}
	if !caller.registrar.MayUse(job.Queue) {
		return forbidden(fmt.Sprintf("the token %q of this worker is for jobs of %s only, not of %s",
			caller.registrar.Name, strings.Join(caller.registrar.Queues, ", "), job.Queue))
	}
	return nil
}

// ownJob adapts a call about the job in the path, which must be the token's job.
func ownJob(handle func(*http.Request, dispatch.JobGrant) (any, error)) handlerFunc {
	return func(r *http.Request, caller caller) (any, error) {
		if r.PathValue("id") != caller.job.JobID {
			return nil, dispatch.ErrNotFound
		}
		return handle(r, caller.job)
	}
}

func (*Handler) start(r *http.Request, grant dispatch.JobGrant) (any, error) {
	req, err := decodeJSON[wire.StartRequest](r.Body)
	if err != nil {
		return nil, err
	}
	at, err := parseTime("started_at", req.StartedAt)
	if err != nil {
		return nil, err
	}
	if err := grant.Start(r.Context(), at); err != nil {
		return nil, fmt.Errorf("starting a job: %w", err)
	}
	return empty{}, nil
}

func (*Handler) chunk(r *http.Request, grant dispatch.JobGrant) (any, error) {
	chunk, size, err := decodeChunkQuery(r.URL.Query())
	if err != nil {
		return nil, err
	}
	if chunk.Data, err = decodeChunk(r.Body, r.Header, size, joblog.MaxChunkSize); err != nil {
		return nil, err
	}
	err = grant.AppendLog(r.Context(), chunk)
	if errors.Is(err, joblog.ErrFull) {
		return nil, tooLarge(err.Error())
	}
	if errors.Is(err, joblog.ErrClosed) {
		return nil, unprocessable(err.Error())
	}
	if err != nil {
		return nil, fmt.Errorf("storing a log chunk: %w", err)
	}
	return empty{}, nil
}

func (h *Handler) state(r *http.Request, grant dispatch.JobGrant) (any, error) {
	state, err := h.dispatcher.JobState(r.Context(), grant.JobID)
	if err != nil {
		return nil, fmt.Errorf("reading a job's state: %w", err)
	}
	return wire.JobStateResponse{State: state}, nil
}

func (*Handler) finish(r *http.Request, grant dispatch.JobGrant) (any, error) {
	req, err := decodeJSON[wire.FinishRequest](r.Body)
	if err != nil {
		return nil, err
	}
	if _, err := parseTime("finished_at", req.FinishedAt); err != nil {
		return nil, err
	}
	if err := grant.Finish(r.Context(), req); err != nil {
		return nil, fmt.Errorf("finishing a job: %w", err)
	}
	return empty{}, nil
}

type updateResponse struct {
	ID string `json:"id"`
}

// update refuses every attribute: a job cannot change anything of itself. Its
// timeout is set by its submitter and enforced by the control plane.
func (*Handler) update(r *http.Request, grant dispatch.JobGrant) (any, error) {
	attributes, err := decodeJSON[map[string]string](r.Body)
	if err != nil {
		return nil, err
	}
	if len(attributes) > 0 {
		return nil, unprocessable("body: no attribute of a job can be changed, timeout included")
	}
	return updateResponse{ID: grant.JobID}, nil
}

type promiseFailureRequest struct {
	ExitStatus int    `json:"exit_status"`
	Reason     string `json:"reason"`
}

// promiseFailure receives a job's announcement that it will fail, and logs it:
// nothing here depends on a job before it has ended. It returns 204.
func (h *Handler) promiseFailure(r *http.Request, grant dispatch.JobGrant) (any, error) {
	req, err := decodeJSON[promiseFailureRequest](r.Body)
	if err != nil {
		return nil, err
	}
	if req.ExitStatus == 0 {
		return nil, badRequest("body: exit_status must be a number other than 0")
	}
	h.options.Logger.Info("job announced its failure",
		zap.String("job_id", grant.JobID), zap.String("exit_status", strconv.Itoa(req.ExitStatus)))
	return nil, nil //nolint:nilnil // no body: status 204
}

// parseTime parses a time of an agent's clock. An empty value is the zero time.
func parseTime(field, value string) (time.Time, error) {
	if value == "" {
		return time.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339Nano, value)
	if err != nil {
		return time.Time{}, badRequest("body: " + field + " must be a time in RFC 3339 format")
	}
	return at, nil
}

func formatTime(at time.Time) string { return at.UTC().Format(time.RFC3339Nano) }
