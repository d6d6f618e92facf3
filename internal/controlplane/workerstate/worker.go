package workerstate

import "time"

// State is what the control plane has recorded of a worker. The empty state is
// that of a worker that has not registered yet.
type State string

// The states.
const (
	// Available may be assigned jobs.
	Available State = "available"
	// Paused takes no job until it is resumed.
	Paused State = "paused"
	// Draining finishes its job and leaves.
	Draining State = "draining"
	// Stopped must cancel its job and leave.
	Stopped State = "stopped"
	// Lost did not renew its lease.
	Lost State = "lost"
	// Left disconnected. It never comes back under the same ID.
	Left State = "left"

	none State = ""
)

// States returns every state that a record can have.
func States() []State { return []State{Available, Paused, Draining, Stopped, Lost, Left} }

// Connected reports whether a worker in this state renews its lease.
func (s State) Connected() bool { return s != Lost && s != Left && s != none }

// PausedBy is who paused a worker.
type PausedBy string

// Who may pause a worker. What an operator paused, a job does not resume.
const (
	ByOperator PausedBy = "operator"
	ByWorker   PausedBy = "worker"
	ByJob      PausedBy = "job"
)

// Worker is what the machine knows of a worker: the part of its record that
// events change. It is a value.
type Worker struct {
	State State `json:"state"`
	// Was is the state to which a lost worker returns; empty otherwise.
	Was State `json:"was,omitempty"`
	// PauseReason is for people; PausedBy says who may end the pause.
	PauseReason string   `json:"pause_reason,omitempty"`
	PausedBy    PausedBy `json:"paused_by,omitempty"`
	// PausedAt is when the pause began, by the control plane's clock, for people. PauseFor
	// is after how long it ends by itself; 0 is never.
	PausedAt time.Time     `json:"paused_at,omitzero"`
	PauseFor time.Duration `json:"pause_for,omitempty"`
	// StopReason is why a worker drains, was stopped or was revoked, for people.
	StopReason string `json:"stop_reason,omitempty"`
	// Revoked is set where the worker was turned away: its session and the tokens of
	// its jobs are refused.
	Revoked bool `json:"revoked,omitempty"`
	// NoRetry keeps jobs that a stop ends from being retried.
	NoRetry bool `json:"no_retry,omitempty"`
	// LastJob is set where the worker is assigned no more jobs: it acquires one by
	// its ID, or leaves after the one that it holds.
	LastJob bool `json:"last_job,omitempty"`
	// RegisteredAt and LeftAt are by the control plane's clock, for people. LeftAt
	// is when the worker left or was lost; zero while it is connected.
	RegisteredAt time.Time `json:"registered_at"`
	LeftAt       time.Time `json:"left_at,omitzero"`
}

// Standing returns the state, or the one to which a lost worker returns.
func (w *Worker) Standing() State {
	if w.State == Lost {
		return w.Was
	}
	return w.State
}

// MayBeAssigned reports whether the control plane may assign a job to the worker.
func (w *Worker) MayBeAssigned() bool { return w.State == Available && !w.LastJob }
