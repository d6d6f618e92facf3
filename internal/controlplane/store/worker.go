package store

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// WorkerState is the state of a worker.
type WorkerState string

// The states of a worker.
const (
	// WorkerConnected is registered, and its heartbeats arrive.
	WorkerConnected WorkerState = "connected"
	// WorkerDisconnected left by itself.
	WorkerDisconnected WorkerState = "disconnected"
	// WorkerLost was silent for longer than its lease. It becomes connected again
	// with its next sign of life.
	WorkerLost WorkerState = "lost"
)

// Worker is the stored record of a registered worker. It is a value; Tags and
// Features are never changed in place, so copies share them. It does not name the
// worker's job: the job's record names the worker.
type Worker struct {
	// ID is a UUIDv7.
	ID string `json:"id"`
	// Name, Hostname, OS, Arch, Version, Build, MachineID, PID and Features were
	// sent by the worker when it registered.
	Name      string   `json:"name"`
	Hostname  string   `json:"hostname,omitempty"`
	OS        string   `json:"os,omitempty"`
	Arch      string   `json:"arch,omitempty"`
	Version   string   `json:"version,omitempty"`
	Build     string   `json:"build,omitempty"`
	MachineID string   `json:"machine_id,omitempty"`
	PID       int      `json:"pid,omitempty"`
	Features  []string `json:"features,omitempty"`
	// Queue is the queue that the worker serves, from its tag queue=NAME.
	Queue string `json:"queue"`
	// Tags are all tags of the worker, each key=value.
	Tags []string `json:"tags,omitempty"`
	// Priority orders the idle workers of a queue: the highest is offered jobs first.
	Priority int `json:"priority,omitempty"`
	// IgnoreInDispatches is set if the worker is offered no jobs: it acquires one by
	// its ID, or leaves after its present one.
	IgnoreInDispatches bool `json:"ignore_in_dispatches,omitempty"`
	// TokenHash is the SHA-256 hash of the worker's session token.
	TokenHash token.Hash `json:"token_hash"`

	State WorkerState `json:"state"`
	// Paused is set while the worker must not take work, for PauseReason.
	Paused      bool   `json:"paused,omitempty"`
	PauseReason string `json:"pause_reason,omitempty"`
	// Stopping is set once the worker must drain, for StopReason; StopForce if its
	// running job must be canceled too.
	Stopping   bool   `json:"stopping,omitempty"`
	StopForce  bool   `json:"stop_force,omitempty"`
	StopReason string `json:"stop_reason,omitempty"`

	// RegisteredAt and LeftAt are by the control plane's clock.
	RegisteredAt time.Time `json:"registered_at"`
	// LeftAt is when the worker disconnected or was lost; zero while it is
	// connected.
	LeftAt time.Time `json:"left_at,omitzero"`

	// Revision is the sequence of the stored message, which a change expects to
	// replace. 0 is a record that is not stored yet.
	Revision uint64 `json:"-"`
}
