package agentwire

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// chunkIntervalSeconds is how long an agent gathers output into a chunk.
	chunkIntervalSeconds = 1
	// logMaxSizeBytes is where an agent warns that a log is large.
	logMaxSizeBytes = 1 << 30
	// lockedRetryAfter is asked of an agent that wants a job which is on offer to
	// another worker; it may come back.
	lockedRetryAfter = "2"
	// maxWordBytes bounds the words of a result.
	maxWordBytes = 128
	// neverRan is the exit status of a command whose end nobody saw.
	neverRan = "-1"
)

// jobResponse is the job as the answer to accept and acquire.
type jobResponse struct {
	ID            string            `json:"id"`
	Endpoint      string            `json:"endpoint"`
	State         string            `json:"state"`
	Env           map[string]string `json:"env"`
	ChunkMaxSize  uint64            `json:"chunks_max_size_bytes"`
	ChunkInterval int               `json:"chunks_interval_seconds"`
	LogMaxSize    uint64            `json:"log_max_size_bytes"`
	Token         string            `json:"token"`
	StartedAt     string            `json:"started_at,omitempty"`
	RunnableAt    string            `json:"runnable_at"`
	Priority      int32             `json:"priority"`
}

func acceptedJob(job store.Job, token string) jobResponse {
	response := jobResponse{
		ID: job.ID, State: string(job.State), Env: environment(job), Token: token, Priority: job.Priority,
		ChunkMaxSize: dispatch.MaxChunkSize, ChunkInterval: chunkIntervalSeconds, LogMaxSize: logMaxSizeBytes,
		RunnableAt: job.SubmittedAt.UTC().Format(time.RFC3339Nano),
	}
	if !job.StartedAt.IsZero() {
		response.StartedAt = job.StartedAt.UTC().Format(time.RFC3339Nano)
	}
	return response
}

func (h *Handler) accept(r *http.Request, caller caller) (any, error) {
	job, token, err := h.dispatcher.Accept(r.Context(), caller.workerID, r.PathValue("id"))
	if err != nil {
		return nil, fmt.Errorf("accepting a job: %w", err)
	}
	return acceptedJob(job, token), nil
}

// acquire answers 423 where waiting helps: the job is on offer to another worker,
// which may leave it.
func (h *Handler) acquire(r *http.Request, caller caller) (any, error) {
	id := r.PathValue("id")
	job, token, err := h.dispatcher.Acquire(r.Context(), caller.workerID, id)
	if err == nil {
		return acceptedJob(job, token), nil
	}
	if errors.Is(err, dispatch.ErrWrongState) {
		if now, lookErr := h.dispatcher.Job(r.Context(), id); lookErr == nil && now.State == wire.StateAssigned {
			return nil, &httpError{
				status:     http.StatusLocked,
				message:    "the job is on offer to another worker",
				retryAfter: lockedRetryAfter,
			}
		}
	}
	return nil, fmt.Errorf("acquiring a job: %w", err)
}

// own is the job of the path, which must be the one whose token was shown.
func own(r *http.Request, caller caller) (dispatch.JobGrant, error) {
	if r.PathValue("id") != caller.job.JobID {
		return dispatch.JobGrant{}, dispatch.ErrNotFound
	}
	return caller.job, nil
}

type startRequest struct {
	StartedAt string `json:"started_at"`
}

func (h *Handler) start(r *http.Request, caller caller) (any, error) {
	grant, err := own(r, caller)
	if err != nil {
		return nil, err
	}
	req, err := decodeJSON[startRequest](r.Body)
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
	return done{}, nil
}

func (h *Handler) chunk(r *http.Request, caller caller) (any, error) {
	grant, err := own(r, caller)
	if err != nil {
		return nil, err
	}
	place, err := decodeChunkPlace(r.URL.Query())
	if err != nil {
		return nil, err
	}
	data, err := decodeChunk(r.Body, r.Header, place.size, dispatch.MaxChunkSize)
	if err != nil {
		return nil, err
	}
	chunk := dispatch.LogChunk{Sequence: place.sequence, Offset: place.offset, Data: data}
	if err := grant.AppendLog(r.Context(), chunk); err != nil {
		return nil, fmt.Errorf("storing a piece of a log: %w", err)
	}
	return done{}, nil
}

type stateResponse struct {
	State string `json:"state"`
}

func (h *Handler) state(r *http.Request, caller caller) (any, error) {
	grant, err := own(r, caller)
	if err != nil {
		return nil, err
	}
	state, err := h.dispatcher.JobState(r.Context(), grant.JobID)
	if err != nil {
		return nil, fmt.Errorf("reading a job's state: %w", err)
	}
	return stateResponse{State: state}, nil
}

type finishRequest struct {
	ExitStatus   string `json:"exit_status"`
	Signal       string `json:"signal"`
	SignalReason string `json:"signal_reason"`
	FinishedAt   string `json:"finished_at"`
	ChunksFailed int    `json:"chunks_failed_count"`
	IgnoreAgent  bool   `json:"ignore_agent_in_dispatches"`
}

func (h *Handler) finish(r *http.Request, caller caller) (any, error) {
	grant, err := own(r, caller)
	if err != nil {
		return nil, err
	}
	req, err := decodeJSON[finishRequest](r.Body)
	if err != nil {
		return nil, err
	}
	result, err := req.result()
	if err != nil {
		return nil, err
	}
	if err := grant.Finish(r.Context(), result); err != nil {
		return nil, fmt.Errorf("finishing a job: %w", err)
	}
	return done{}, nil
}

func (req finishRequest) result() (dispatch.Result, error) {
	status := cmp.Or(req.ExitStatus, neverRan)
	if _, err := strconv.ParseInt(status, 10, 64); err != nil {
		return dispatch.Result{}, badRequest("body: exit_status must be a whole number, in quotes")
	}
	if len(req.Signal) > maxWordBytes || len(req.SignalReason) > maxWordBytes {
		return dispatch.Result{}, badRequest(fmt.Sprintf("body: signal and signal_reason have at most %d bytes", maxWordBytes))
	}
	if req.ChunksFailed < 0 {
		return dispatch.Result{}, badRequest("body: chunks_failed_count must be at least 0")
	}
	at, err := parseTime("finished_at", req.FinishedAt)
	if err != nil {
		return dispatch.Result{}, err
	}
	return dispatch.Result{
		ExitStatus: status, Signal: req.Signal, SignalReason: req.SignalReason,
		FinishedAt: at, ChunksFailed: req.ChunksFailed, IgnoreAgent: req.IgnoreAgent,
	}, nil
}

type updateResponse struct {
	ID string `json:"id"`
}

// update answers for the attributes that a job may change of itself. There are
// none: its timeout is its submitter's, and the control plane holds it to that.
func (h *Handler) update(r *http.Request, caller caller) (any, error) {
	grant, err := own(r, caller)
	if err != nil {
		return nil, err
	}
	attributes, err := decodeJSON[map[string]string](r.Body)
	if err != nil {
		return nil, err
	}
	if len(attributes) > 0 {
		return nil, &httpError{
			status:  http.StatusUnprocessableEntity,
			message: "body: no attribute of a job can be changed here, timeout included",
		}
	}
	return updateResponse{ID: grant.JobID}, nil
}

type promiseFailureRequest struct {
	ExitStatus int    `json:"exit_status"`
	Reason     string `json:"reason"`
}

// promiseFailure takes a job's word that it will fail. It is for what waits for
// the job; nothing here does before the job has ended, so it is logged alone.
func (h *Handler) promiseFailure(r *http.Request, caller caller) (any, error) {
	grant, err := own(r, caller)
	if err != nil {
		return nil, err
	}
	req, err := decodeJSON[promiseFailureRequest](r.Body)
	if err != nil {
		return nil, err
	}
	if req.ExitStatus == 0 {
		return nil, badRequest("body: exit_status must be a number other than 0")
	}
	h.options.Logger.Info("a job promises to fail", zap.String("job", grant.JobID), zap.Int("exit_status", req.ExitStatus))
	return nil, nil //nolint:nilnil // no error and no body: 204
}
