package store

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
)

// Defaults of Options.
const (
	// DefaultRetention is how long jobs that ended, logs and meta-data are kept.
	DefaultRetention = 7 * 24 * time.Hour
	// DefaultWorkerRetention is how long workers that left are kept.
	DefaultWorkerRetention = 24 * time.Hour
)

const (
	// minRetention is the shortest expiry that JetStream keeps exactly: it counts a
	// message's time to live in whole seconds.
	minRetention = time.Second
	// MaxReplicas is the most copies of a stream that JetStream allows.
	MaxReplicas = 5
)

// Options configure a Store.
type Options struct {
	// DataDir is the directory of the embedded store, created with mode 0700 if it
	// does not exist; the store uses the folder jetstream in it. The caller must make
	// sure that no other process has it open. Required unless URL or Server is set.
	DataDir string
	// URL is the address of a NATS server or cluster with JetStream, version 2.11
	// or later; empty is the embedded one.
	URL string
	// Server is a NATS server of this process with JetStream, to use instead of one at
	// URL; it is reached without a socket. The caller shuts it down, and may replace it
	// meanwhile: the connection asks Server again whenever it was lost. Nil is none.
	Server nats.InProcessConnProvider
	// Access is how to connect to URL.
	Access Access
	// Replicas is the least number of copies of each stream, 1 to 5. A stream that has
	// more copies already keeps them. 0 leaves existing streams as they are, and makes
	// new ones with three copies in a cluster of three servers or more, else with one.
	// The embedded store has one.
	Replicas int
	// Retention is how long a job is kept after its end, and a build's meta-data after
	// its last change; at least a second, 0 is DefaultRetention. A live job never
	// expires. The idempotency key of a job is kept as long as the job.
	Retention time.Duration
	// LogRetention is how long a log chunk is kept after it arrived; at least a
	// second, 0 is Retention.
	LogRetention time.Duration
	// WorkerRetention is how long a worker is kept after it left; at least a second,
	// 0 is DefaultWorkerRetention.
	WorkerRetention time.Duration
	// MaxStore is the most bytes of everything stored, at least MinMaxStore: 70 % for
	// logs and 5 % for meta-data, of which the oldest are discarded beyond that, and
	// the rest for jobs and workers. 0 is three quarters of the room on the disk of
	// DataDir, and no limit of our own with URL.
	MaxStore int64
	// OnWrite is called after each write to a stream, named as in Usage, of one message or
	// of a batch, with its duration, in which the store has synced, and its result. It
	// must not block, and may be called concurrently. Nil is none.
	OnWrite func(stream string, took time.Duration, err error)
	// Logger receives the store's own log, and the embedded server's from warnings
	// up. Nil is none.
	Logger *zap.Logger

	// restoring opens a store for Restore: writes are on disk when it is closed.
	restoring bool
}

func (o Options) withDefaults() Options {
	o.Retention = cmp.Or(o.Retention, DefaultRetention)
	o.LogRetention = cmp.Or(o.LogRetention, o.Retention)
	o.WorkerRetention = cmp.Or(o.WorkerRetention, DefaultWorkerRetention)
	if o.OnWrite == nil {
		o.OnWrite = func(string, time.Duration, error) {}
	}
	if o.Logger == nil {
		o.Logger = zap.NewNop()
	}
	return o
}

// external reports whether the NATS server is the caller's.
func (o Options) external() bool { return o.URL != "" || o.Server != nil }

// validate returns an error that names the first option out of bounds.
func (o Options) validate() error {
	switch {
	case o.DataDir == "" && !o.external():
		return errors.New("store: one of DataDir, URL and Server is required")
	case o.Replicas < 0 || o.Replicas > MaxReplicas:
		return fmt.Errorf("store: Replicas is %d, want 0 to %d", o.Replicas, MaxReplicas)
	case !o.external() && o.Replicas > 1:
		return fmt.Errorf("store: Replicas is %d, but the embedded store has one copy: set URL", o.Replicas)
	case o.Retention < minRetention:
		return fmt.Errorf("store: Retention is %s, want at least %s", o.Retention, minRetention)
	case o.LogRetention < minRetention:
		return fmt.Errorf("store: LogRetention is %s, want at least %s", o.LogRetention, minRetention)
	case o.MaxStore != 0 && o.MaxStore < MinMaxStore:
		return fmt.Errorf("store: MaxStore is %d bytes, want at least %d", o.MaxStore, MinMaxStore)
	case o.WorkerRetention < minRetention:
		return fmt.Errorf("store: WorkerRetention is %s, want at least %s", o.WorkerRetention, minRetention)
	}
	return o.Access.Validate()
}

// Retention returns how long a job is kept after its end.
func (s *Store) Retention() time.Duration { return s.opts.Retention }

// WorkerRetention returns how long a worker is kept after it left.
func (s *Store) WorkerRetention() time.Duration { return s.opts.WorkerRetention }
