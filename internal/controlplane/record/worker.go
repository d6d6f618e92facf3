package record

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// Worker is the stored record of a registered worker. It is a value; Tags and
// Features are never changed in place, so copies share them. It does not name the
// worker's job: the job's record names the worker.
type Worker struct {
	// Worker is what became of the worker. Only package workerstate changes it.
	workerstate.Worker

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
	// RegisteredWith is the ID of the token with which the worker registered, see
	// package access. Empty is the token of the data directory.
	RegisteredWith string `json:"registered_with,omitempty"`
	// TokenHash is the SHA-256 hash of the worker's session token.
	TokenHash token.Hash `json:"token_hash"`

	// Revision is the sequence of the stored message, which a change expects to
	// replace. 0 is a record that is not stored yet.
	Revision uint64 `json:"-"`
}

// Session is what is needed of a worker to authenticate its requests: each request needs it,
// and a Worker is large.
type Session struct {
	WorkerID, WorkerName string
	RegisteredWith       string
	TokenHash            token.Hash
	Revoked              bool
	StopReason           string
}

// Session returns the session of the worker.
func (w *Worker) Session() Session {
	return Session{
		WorkerID: w.ID, WorkerName: w.Name, RegisteredWith: w.RegisteredWith,
		TokenHash: w.TokenHash, Revoked: w.Revoked, StopReason: w.StopReason,
	}
}
