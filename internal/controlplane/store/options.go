package store

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"
)

// Defaults of Options.
const (
	// DefaultRetention is how long jobs that have ended, logs and meta-data are kept.
	DefaultRetention = 7 * 24 * time.Hour
	// DefaultWorkerRetention is how long workers that have left are kept.
	DefaultWorkerRetention = 24 * time.Hour
	// DefaultReplicas is the number of copies on an external cluster.
	DefaultReplicas = 1
)

// minRetention is the shortest expiry that JetStream keeps exactly: it counts a
// message's time to live in whole seconds.
const minRetention = time.Second

// maxReplicas is the most copies of a stream that JetStream allows.
const maxReplicas = 5

// Options say where the store is and how long it keeps what is over.
type Options struct {
	// DataDir is the directory of the embedded store, made with mode 0700 if it is
	// not there; the store uses the folder jetstream in it. Two processes must never
	// have it open: the caller sees to that. Required unless URL is set.
	DataDir string
	// URL is the address of a NATS server or cluster with JetStream, version 2.11
	// or later; empty is the embedded one.
	URL string
	// Replicas is the number of copies of each stream, 1 to 5; 0 is
	// DefaultReplicas. The embedded store has one.
	Replicas int
	// Retention is how long a job is kept after its end, a piece of a log after it
	// arrived, and a build's meta-data after its last change; at least a second, 0 is
	// DefaultRetention. A live job never expires. The idempotency key of a job is
	// kept as long as the job.
	Retention time.Duration
	// WorkerRetention is how long a worker is kept after it left; at least a second,
	// 0 is DefaultWorkerRetention.
	WorkerRetention time.Duration
	// Logger gets the store's own log, and that of the embedded server from
	// warnings up. Nil is none.
	Logger *zap.Logger
}

// withDefaults fills what is zero.
func (o Options) withDefaults() Options {
	if o.Replicas == 0 {
		o.Replicas = DefaultReplicas
	}
	if o.Retention == 0 {
		o.Retention = DefaultRetention
	}
	if o.WorkerRetention == 0 {
		o.WorkerRetention = DefaultWorkerRetention
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}

// validate names the first option that is out of bounds.
func (o Options) validate() error {
	switch {
	case o.DataDir == "" && o.URL == "":
		return errors.New("store: one of DataDir and URL is required")
	case o.Replicas < 1 || o.Replicas > maxReplicas:
		return fmt.Errorf("store: Replicas is %d, want 1 to %d", o.Replicas, maxReplicas)
	case o.URL == "" && o.Replicas != 1:
		return fmt.Errorf("store: Replicas is %d, but the embedded store has one copy: set URL", o.Replicas)
	case o.Retention < minRetention:
		return fmt.Errorf("store: Retention is %s, want at least %s", o.Retention, minRetention)
	case o.WorkerRetention < minRetention:
		return fmt.Errorf("store: WorkerRetention is %s, want at least %s", o.WorkerRetention, minRetention)
	}
	return nil
}
