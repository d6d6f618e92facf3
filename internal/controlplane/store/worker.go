package store

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// WorkerState is what the control plane knows of a worker.
type WorkerState string

// The states of a worker.
const (
	// WorkerConnected is registered, and its heartbeats arrive.
	WorkerConnected WorkerState = "connected"
	// WorkerDisconnected left by itself.
	WorkerDisconnected WorkerState = "disconnected"
	// WorkerLost fell silent: its heartbeats ran out. It is connected again when
	// it is heard again.
	WorkerLost WorkerState = "lost"
)

// Worker is the stored record of one registered worker. It is a value; Tags,
// Features and TokenHash are never changed in place, so that copies may share
// them. Which job a worker has is said by the jobs alone (see the package
// comment).
type Worker struct {
	// ID is a UUIDv7.
	ID string `json:"id"`
	// Name, Hostname, OS, Arch, Version, Build, MachineID, PID and Features are
	// what the worker said when it registered.
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
	// Tags are all its tags, each key=value.
	Tags []string `json:"tags,omitempty"`
	// Priority orders the idle workers of a queue: the higher is given work first.
	Priority int `json:"priority,omitempty"`
	// IgnoreInDispatches is set where the worker is given no job by the control
	// plane: it acquires one by name, or is leaving after its last.
	IgnoreInDispatches bool `json:"ignore_in_dispatches,omitempty"`
	// TokenHash is the SHA-256 hash of the worker's session token.
	TokenHash token.Hash `json:"token_hash"`

	// State is what is known of the worker.
	State WorkerState `json:"state"`
	// Paused is set while the worker is to take no work; PauseReason says why.
	Paused      bool   `json:"paused,omitempty"`
	PauseReason string `json:"pause_reason,omitempty"`
	// Stopping is set once the worker was told to leave; StopForce where its
	// running job is to be cancelled. StopReason says why.
	Stopping   bool   `json:"stopping,omitempty"`
	StopForce  bool   `json:"stop_force,omitempty"`
	StopReason string `json:"stop_reason,omitempty"`

	// RegisteredAt and the others are moments by the control plane's clock.
	RegisteredAt time.Time `json:"registered_at"`
	// LeftAt is when the worker disconnected or was lost; zero while it is
	// connected.
	LeftAt time.Time `json:"left_at,omitzero"`

	// Revision is the sequence of the stored message: what a change expects to
	// replace. 0 is a record that is not stored yet.
	Revision uint64 `json:"-"`
}
