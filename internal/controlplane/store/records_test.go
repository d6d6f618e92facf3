package store

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/logstate"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestPutJobComparesAndSets(t *testing.T) {
	s := openTest(t, Options{})
	now := time.Now().UTC().Round(0)
	job := record.Job{ID: "j1", Command: []string{"true"}, Queue: "default", Job: lifecycle.Job{State: wire.StateQueued, SubmittedAt: now}}
	first, err := s.PutJob(t.Context(), job)
	if err != nil {
		t.Fatal(err)
	}
	second := first
	second.State, second.WorkerID = wire.StateAssigned, "a1"
	second, err = s.PutJob(t.Context(), second)
	if err != nil {
		t.Fatal(err)
	}
	for name, stale := range map[string]record.Job{"created again": job, "changed from an old revision": first} {
		if _, err := s.PutJob(t.Context(), stale); !errors.Is(err, ErrConflict) {
			t.Errorf("%s: got %v, want ErrConflict", name, err)
		}
	}
	got, err := s.Job(t.Context(), "j1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second, got); diff != "" {
		t.Errorf("the stored job differs (-want +got):\n%s", diff)
	}
}

func TestEveryErrorWrapsOneOfThePackage(t *testing.T) {
	s := openTest(t, Options{})
	large := record.Job{ID: "large", Command: []string{strings.Repeat("x", 2<<20)}}
	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for name, row := range map[string]struct {
		call func() error
		want error
	}{
		"unknown job":    {func() error { _, err := s.Job(t.Context(), "none"); return err }, ErrNotFound},
		"unknown worker": {func() error { _, err := s.Worker(t.Context(), "none"); return err }, ErrNotFound},
		"unknown key":    {func() error { _, err := s.Key(t.Context(), "none"); return err }, ErrNotFound},
		"pattern as id":  {func() error { _, err := s.Job(t.Context(), "*"); return err }, ErrNotFound},
		"empty id":       {func() error { _, err := s.Job(t.Context(), ""); return err }, ErrNotFound},
		"no log":         {func() error { _, err := s.LastChunk(t.Context(), "none"); return err }, ErrNotFound},
		"no position":    {func() error { _, err := s.ChunkAt(t.Context(), 9); return err }, ErrNotFound},
		"too large":      {func() error { _, err := s.PutJob(t.Context(), large); return err }, ErrTooLarge},
		"canceled":       {func() error { _, err := s.Job(canceled, "j"); return err }, context.Canceled},
		"changed key":    {func() error { return s.PutKey(t.Context(), "k", Key{JobID: "j", Revision: 7}) }, ErrConflict},
	} {
		t.Run(name, func(t *testing.T) {
			if err := row.call(); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
		})
	}
	s.Close()
	if _, err := s.Job(t.Context(), "j"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("after Close: got %v, want ErrUnavailable", err)
	}
}

func TestOnlyEndedRecordsExpire(t *testing.T) {
	s := openTest(t, Options{Retention: time.Second, WorkerRetention: time.Second})
	for _, job := range []record.Job{{ID: "queued", Job: lifecycle.Job{State: wire.StateQueued}}, {ID: "running", Job: lifecycle.Job{State: wire.StateRunning}}, {ID: "finished", Job: lifecycle.Job{State: wire.StateFinished}}} {
		if _, err := s.PutJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	for _, worker := range []record.Worker{{ID: "here", Worker: workerstate.Worker{State: workerstate.Available}}, {ID: "gone", Worker: workerstate.Worker{State: workerstate.Left}}} {
		if _, err := s.PutWorker(t.Context(), worker); err != nil {
			t.Fatal(err)
		}
	}
	for key, job := range map[string]string{"live": "queued", "over": "finished"} {
		if err := s.PutKey(t.Context(), key, Key{JobID: job}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.ExpireKey(t.Context(), "over", "finished"); err != nil {
		t.Fatal(err)
	}
	// The server expires records by the real clock: wait for the last one.
	gone := func(err error) bool { return errors.Is(err, ErrNotFound) }
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		_, jobErr := s.Job(t.Context(), "finished")
		_, workerErr := s.Worker(t.Context(), "gone")
		_, keyErr := s.Key(t.Context(), "over")
		if gone(jobErr) && gone(workerErr) && gone(keyErr) {
			break
		}
		select {
		case <-deadline.C:
			t.Fatalf("still there: job %v, worker %v, key %v", jobErr, workerErr, keyErr)
		case <-poll.C:
		}
	}
	for _, id := range []string{"queued", "running"} {
		if _, err := s.Job(t.Context(), id); err != nil {
			t.Errorf("job %s: %v", id, err)
		}
	}
	if _, err := s.Worker(t.Context(), "here"); err != nil {
		t.Error(err)
	}
	if _, err := s.Key(t.Context(), "live"); err != nil {
		t.Error(err)
	}
}

// A job that has ended is kept for Retention, counted from its end: what changes of its log
// afterwards does not keep it for longer.
func TestAChangeOfItsLogDoesNotKeepAJob(t *testing.T) {
	s := openTest(t, Options{Retention: time.Hour})
	ttl := func(job record.Job) time.Duration {
		t.Helper()
		msg, err := s.state.GetLastMsgForSubject(t.Context(), jobPrefix+job.ID)
		if err != nil {
			t.Fatal(err)
		}
		d, err := time.ParseDuration(msg.Header.Get(jetstream.MsgTTLHeader))
		if err != nil {
			return 0
		}
		return d
	}
	job := record.Job{ID: "j", Job: lifecycle.Job{State: wire.StateRunning}, Log: logstate.Log{BackupAt: time.Unix(1, 0)}}
	for _, step := range []struct {
		change      func()
		least, most time.Duration
	}{
		{func() {}, 0, 0},
		{func() { job.State = wire.StateFinished }, time.Hour, time.Hour},
		{func() { job.Log.LateChunks = 1 }, time.Hour - time.Minute, time.Hour - time.Second},
		{func() { job.Log.Deletion = &logstate.Deletion{} }, time.Hour - time.Minute, time.Hour - time.Second},
	} {
		step.change()
		var err error
		if job, err = s.PutJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		if got := ttl(job); got < step.least || got > step.most {
			t.Errorf("the job is kept for %s, want %s to %s", got, step.least, step.most)
		}
	}
}
