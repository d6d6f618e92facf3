package lifecycle

import (
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// State is the state of a job. The empty state is that of a job that was not
// submitted yet.
type State = wire.JobState

// none is the state of a job before Submitted.
const none State = ""

// MaxTokens is how many tokens of one acceptance are valid at a time. A worker
// whose accept was not answered asks again, and the older request may be handled
// after the newer one.
const MaxTokens = 8

// Result is how a job ended, as its agent reported it.
type Result struct {
	// ExitStatus is a decimal number; wire.ExitStatusNeverRan where the command
	// never ran or its end was not seen. Empty means that no result is known.
	ExitStatus string `json:"exit_status,omitempty"`
	// Signal is the signal that ended the command, such as SIGTERM, or empty.
	Signal string `json:"signal,omitempty"`
	// SignalReason is why the agent ended the command: a wire.Reason constant, or
	// empty.
	SignalReason string `json:"signal_reason,omitempty"`
	// ChunksFailed counts log chunks that the agent could not deliver.
	ChunksFailed int `json:"chunks_failed,omitempty"`
	// LogSize is the size in bytes of the log that had arrived.
	LogSize uint64 `json:"log_size,omitempty"`
	// LogCut is set where the log was cut at the limit of a log.
	LogCut bool `json:"log_cut,omitempty"`
	// Usage is what the command took, if its agent has sent it.
	Usage wire.Usage `json:"usage,omitzero"`
}

// Same reports whether two reports describe the same end.
func (r Result) Same(other Result) bool {
	return r.ExitStatus == other.ExitStatus && r.Signal == other.Signal && r.SignalReason == other.SignalReason
}

// Job is what the machine knows of a job: the part of its stored record that
// events change. It is a value; slices in it are never changed in place.
type Job struct {
	Result

	State State `json:"state"`
	// WorkerID and WorkerName name the worker that the job was last assigned to;
	// empty while the job is queued.
	WorkerID   string `json:"worker_id,omitempty"`
	WorkerName string `json:"worker_name,omitempty"`
	// Tokens are the hashes of the valid tokens of the present acceptance, newest
	// last. Once the job was started there is one.
	Tokens []string `json:"tokens,omitempty"`
	// Revoked is set where the job was lost because its worker was revoked: Tokens
	// are not valid any more, and are kept so that the refusal can name the cause.
	Revoked bool `json:"revoked,omitempty"`

	// CancelRequested is set where a running job must be canceled by its worker,
	// and stays set. CancelReason is why it was canceled or stopped, for people.
	CancelRequested bool   `json:"cancel_requested,omitempty"`
	CancelReason    string `json:"cancel_reason,omitempty"`
	// StopRequested is set where a running job must end because its worker was
	// stopped. The job is retried then, unless it was also canceled.
	StopRequested bool `json:"stop_requested,omitempty"`
	// TimedOut is set where the job ran for longer than its timeout.
	TimedOut bool `json:"timed_out,omitempty"`
	// LostReason is what was last known of a lost job, for people.
	LostReason string `json:"lost_reason,omitempty"`
	// Late is set where the result arrived after the job was lost. LateResult is
	// that result where the job had been retried by then, so that the result
	// could not end it any more.
	Late       bool    `json:"late,omitempty"`
	LateResult *Result `json:"late_result,omitempty"`

	// RetriesLeft is how many more times the job may be submitted again under a
	// new ID. RetriedBy is the job that retries this one, or empty.
	RetriesLeft int    `json:"retries_left,omitempty"`
	RetriedBy   string `json:"retried_by,omitempty"`
	// RetryKept is set where the retry was started before LateResult arrived.
	RetryKept bool `json:"retry_kept,omitempty"`

	// The moments are by the control plane's clock, for people; zero where the
	// job has not come so far. A requeue clears AssignedAt to StartedAt.
	SubmittedAt time.Time `json:"submitted_at,omitzero"`
	AssignedAt  time.Time `json:"assigned_at,omitzero"`
	AcceptedAt  time.Time `json:"accepted_at,omitzero"`
	StartedAt   time.Time `json:"started_at,omitzero"`
	FinishedAt  time.Time `json:"finished_at,omitzero"`

	// History is every change of the job, oldest first.
	History History `json:"history,omitzero"`
}

// Holds reports whether a token with this hash is valid for the job.
func (j *Job) Holds(token string) bool {
	return token != "" && !j.Revoked && slices.Contains(j.Tokens, token)
}

// Retriable reports whether the job may be submitted again if how it ended is not
// known, or if its agent ended it.
func (j *Job) Retriable() bool {
	return j.RetriesLeft > 0 && !j.CancelRequested && !j.TimedOut
}

// MustEnd reports whether the agent of a running job must end it.
func (j *Job) MustEnd() bool { return j.CancelRequested || j.StopRequested || j.TimedOut }

// Outcome is how a job that has ended is counted and listed.
type Outcome string

// The outcomes.
const (
	NotEnded     Outcome = ""
	Succeeded    Outcome = "succeeded"
	Failed       Outcome = "failed"
	WasCanceled  Outcome = "canceled"
	WasTimedOut  Outcome = "timed-out"
	WasLost      Outcome = "lost"
	NeverRan     Outcome = "never-ran"
	AgentStopped Outcome = "agent-stopped"
	outcomeCount         = 7
)

// Outcomes returns every outcome of a job that has ended.
func Outcomes() []Outcome {
	return append(make([]Outcome, 0, outcomeCount), Succeeded, Failed, WasCanceled, WasTimedOut, WasLost, NeverRan, AgentStopped)
}

// Outcome returns how the job ended, or NotEnded.
func (j *Job) Outcome() Outcome {
	switch {
	case j.State == wire.StateLost:
		return WasLost
	case j.State == wire.StateCanceled && j.TimedOut:
		return WasTimedOut
	case j.State == wire.StateCanceled:
		return WasCanceled
	case j.State != wire.StateFinished:
		return NotEnded
	case wire.EndUnseen(j.ExitStatus, j.Signal, j.SignalReason):
		return WasLost
	case j.SignalReason == wire.ReasonAgentStop:
		return AgentStopped
	case j.ExitStatus == wire.ExitStatusNeverRan && j.Signal == "":
		return NeverRan
	case j.ExitStatus == "0" && j.Signal == "":
		return Succeeded
	}
	return Failed
}
