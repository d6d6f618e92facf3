package agent

import (
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/worker"
)

// Status is what an agent does now. Its JSON is for people and programs.
type Status struct {
	Version  string `json:"version"`
	Hostname string `json:"hostname"`
	Queue    string `json:"queue"`
	// PID is the process, and Started when it began.
	PID     int       `json:"pid"`
	Started time.Time `json:"started"`
	// Draining is set once the agent takes no more jobs.
	Draining bool `json:"draining"`
	// Workers are those that are registered.
	Workers []WorkerStatus `json:"workers"`
	// Undelivered are the jobs whose result the control plane has not acknowledged, the
	// newest last.
	Undelivered []string `json:"undelivered"`
	// SpoolBytes is the size of what is kept for the control plane.
	SpoolBytes int64 `json:"spool_bytes"`
}

// WorkerStatus is what a worker does now.
type WorkerStatus struct {
	ID       string `json:"id"`
	Name     string `json:"name"`
	Endpoint string `json:"endpoint"`
	// State is the state of the worker's machine.
	State fsm.State `json:"-"`
	// StateName is the name of the state, and Since when it was entered. A worker that
	// polls without a job is in FallingBack, also while a ping of it is in flight.
	StateName string    `json:"state"`
	Since     time.Time `json:"since,omitzero"`
	// Stream is what is known of the stream, in a word.
	Stream string `json:"stream"`
	Paused bool   `json:"paused"`
	// JobID is the job in hand, or empty.
	JobID string `json:"job_id,omitempty"`
	// FailedPings counts the pings that have failed since the last one that was answered,
	// and PingFailure is why the last one has.
	FailedPings int    `json:"failed_pings,omitempty"`
	PingFailure string `json:"ping_failure,omitempty"`
	// Changes are the last changes of StateName, the newest last.
	Changes []Change `json:"changes"`
}

// Change is one change of a worker's state.
type Change struct {
	At    time.Time `json:"at"`
	From  string    `json:"from"`
	To    string    `json:"to"`
	Event string    `json:"event"`
	Cause string    `json:"cause,omitempty"`
}

// Status returns what the agent does now.
func (a *Agent) Status() Status {
	s := Status{
		Version: a.config.Version, Hostname: a.hostname, Queue: a.config.Queue, Draining: a.draining.Err() != nil,
		PID: os.Getpid(), Started: a.started,
		Workers: []WorkerStatus{}, Undelivered: []string{}, SpoolBytes: sizeOf(a.config.SpoolPath),
	}
	for _, w := range a.registered() {
		described := statusOf(w)
		a.machines.describe(&described)
		s.Workers = append(s.Workers, described)
	}
	a.mu.Lock()
	held := a.held
	a.mu.Unlock()
	if held != nil {
		s.Undelivered = held.undeliveredIDs()
	}
	return s
}

func statusOf(w *worker.Worker) WorkerStatus {
	last := w.Last()
	return WorkerStatus{
		ID: w.Session().ID(), Name: w.Name(), Endpoint: wire.HideURLSecrets(w.Session().Endpoint()),
		State: last.To, StateName: last.To.String(),
		Stream: last.Facts.Stream.String(), Paused: last.Facts.Paused, JobID: string(last.Facts.Job), Changes: []Change{},
	}
}

// sizeOf returns the size of the files below a folder. A file that is removed meanwhile
// does not count.
func sizeOf(folder string) (size int64) {
	if folder == "" {
		return 0
	}
	_ = filepath.WalkDir(folder, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // it was removed meanwhile
		}
		if info, err := entry.Info(); err == nil {
			size += info.Size()
		}
		return nil
	})
	return size
}
