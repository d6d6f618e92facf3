package store

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/smalldisk"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// storeJobs stores jobs of size bytes until a write fails, and returns their IDs and the error.
func storeJobs(t *testing.T, s *Store, prefix string, size int) (ids []string, err error) {
	t.Helper()
	env := map[string]string{"X": strings.Repeat("x", size)}
	for n := range 10_000 {
		job := record.Job{ID: fmt.Sprint(prefix, n), Env: env, Job: lifecycle.Job{State: wire.StateQueued}}
		if _, err = s.PutJob(t.Context(), job); err != nil {
			return ids, err
		}
		ids = append(ids, job.ID)
	}
	t.Fatal("the disk does not fill up")
	return nil, nil
}

// waitReachable returns how long the store could not be used.
func waitReachable(t *testing.T, s *Store) time.Duration {
	t.Helper()
	began := time.Now()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := s.Reachable(t.Context())
		if err == nil {
			return time.Since(began)
		}
		if time.Since(began) > time.Minute {
			t.Fatalf("the store cannot be used: %v", err)
		}
		<-tick.C
	}
}

func mustHave(t *testing.T, s *Store, ids []string) {
	t.Helper()
	for _, id := range ids {
		if _, err := s.Job(t.Context(), id); err != nil {
			t.Fatalf("job %s was acknowledged: %v", id, err)
		}
	}
}

// When the disk has room again, a store that could not write goes on by itself,
// with everything that it acknowledged, and so do its watches.
func TestFullDiskHasRoomAgain(t *testing.T) {
	dir := smalldisk.Mount(t, 32)
	s := openTest(t, Options{DataDir: dir})
	var watched atomic.Int64
	go func() {
		_ = s.Watch(t.Context(), 0, func(c Change) { watched.Store(int64(c.Revision)) }) //nolint:gosec // small
	}()
	for round := range 2 {
		free := smalldisk.Fill(t, dir)
		ids, err := storeJobs(t, s, fmt.Sprint("round", round, "-"), 10_000)
		if !errors.Is(err, ErrFull) || !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), "the disk of the store is full") {
			t.Fatalf("storing on a full disk: %v", err)
		}
		if err := s.Reachable(t.Context()); !errors.Is(err, ErrFull) {
			t.Errorf("a full store is reachable: %v", err)
		}
		if _, err := s.AppendChunk(t.Context(), "j", wire.Chunk{Sequence: 1, Data: make([]byte, 100_000)}); !errors.Is(err, ErrFull) {
			t.Errorf("storing a log chunk on a full disk: %v", err)
		}
		mustHave(t, s, ids)
		free()
		t.Logf("usable %v after the disk had room again", waitReachable(t, s))
		mustHave(t, s, ids)
		job, err := s.PutJob(t.Context(), record.Job{ID: fmt.Sprint("after", round), Job: lifecycle.Job{State: wire.StateQueued}})
		if err != nil {
			t.Fatal(err)
		}
		tick := time.NewTicker(10 * time.Millisecond)
		for watched.Load() < int64(job.Revision) { //nolint:gosec // small
			select {
			case <-tick.C:
			case <-t.Context().Done():
				t.Fatal("the watch does not go on")
			}
		}
		tick.Stop()
	}
}

// Writes are stored alone while the disk is full, however many there are, because the
// server never ends a batch that it could not write: TestMain finds its goroutine. When
// there is room again, they share a sync as before.
func TestNoBatchOnAFullDisk(t *testing.T) {
	dir := smalldisk.Mount(t, 48)
	s := openTest(t, Options{DataDir: dir})
	var batches atomic.Int64
	commit := s.group.batch
	s.group.batch = func(messages []*nats.Msg) (uint64, error) {
		batches.Add(1)
		return commit(messages)
	}
	many := func(prefix string) (failed error) {
		var all errgroup.Group
		for n := range 100 {
			all.Go(func() error {
				_, err := s.PutJob(t.Context(), record.Job{
					ID: fmt.Sprint(prefix, n), Env: map[string]string{"X": strings.Repeat("x", 10_000)},
					Job: lifecycle.Job{State: wire.StateQueued},
				})
				return err
			})
		}
		return all.Wait()
	}
	free := smalldisk.Fill(t, dir)
	var err error
	for round := 0; err == nil; round++ {
		err = many(fmt.Sprint("full", round, "-"))
	}
	if !errors.Is(err, ErrFull) {
		t.Errorf("storing many jobs on a full disk: %v", err)
	}
	if n := batches.Load(); n != 0 {
		t.Errorf("%d batches were begun on a full disk", n)
	}
	free()
	waitReachable(t, s)
	if err := many("after"); err != nil || batches.Load() == 0 {
		t.Errorf("once there is room: %d batches, %v", batches.Load(), err)
	}
}

// Above the share of the state no new job is stored, and the jobs that are there
// change as before.
func TestLimitOfTheStore(t *testing.T) {
	core, logs := observer.New(zapcore.InfoLevel)
	s := openTest(t, Options{MaxStore: MinMaxStore, Logger: zap.New(core)})
	first, err := s.PutJob(t.Context(), record.Job{ID: "first", Job: lifecycle.Job{State: wire.StateQueued}})
	if err != nil {
		t.Fatal(err)
	}
	ids, err := storeJobs(t, s, "job-", 100_000)
	if !errors.Is(err, ErrLimit) || errors.Is(err, ErrFull) || errors.Is(err, ErrUnavailable) {
		t.Fatalf("storing a job above the limit: %v", err)
	}
	if want := regexp.MustCompile(`jobs and workers use 3\.\d MiB, more than 22 % of its limit of 16\.0 MiB \(set with --max-store\); raise --max-store`); !want.MatchString(err.Error()) {
		t.Errorf("the error does not match %s: %v", want, err)
	}
	mustHave(t, s, ids)
	first.State = wire.StateRunning
	if _, err := s.PutJob(t.Context(), first); err != nil {
		t.Errorf("changing a job in a store that takes no new ones: %v", err)
	}
	if err := s.Reachable(t.Context()); !errors.Is(err, ErrLimit) {
		t.Errorf("a store that takes no new job is reachable: %v", err)
	}
	if logged := logs.FilterMessage("new jobs are refused"); logged.Len() != 1 || logged.All()[0].ContextMap()["error"] == "" {
		t.Errorf("the refusals are logged %d times, want once", logged.Len())
	}
	for _, id := range ids {
		job, err := s.Job(t.Context(), id)
		if err == nil {
			err = s.DeleteJob(t.Context(), job)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.PutJob(t.Context(), record.Job{ID: "more", Job: lifecycle.Job{State: wire.StateQueued}}); err != nil {
		t.Errorf("storing a job after others were deleted: %v", err)
	}
	if logs.FilterMessage("new jobs are stored again").Len() != 1 {
		t.Error("the end of the refusals is not logged")
	}
}

// Logs are discarded before they take the room of jobs.
func TestLogsLeaveRoomForJobs(t *testing.T) {
	s := openTest(t, Options{MaxStore: MinMaxStore})
	data := make([]byte, 500_000)
	for n := range uint64(50) {
		if _, err := s.AppendChunk(t.Context(), "j", wire.Chunk{Sequence: n + 1, Offset: n * 500_000, Data: data}); err != nil {
			t.Fatalf("chunk %d: %v", n, err)
		}
	}
	if _, err := s.PutJob(t.Context(), record.Job{ID: "first", Job: lifecycle.Job{State: wire.StateQueued}}); err != nil {
		t.Fatal(err)
	}
	bytes, limit, err := s.LogUsage(t.Context())
	if err != nil || limit != maxBytes(MinMaxStore, logShare) || bytes > limit || bytes < limit/2 {
		t.Errorf("logs use %d of %d bytes, %v", bytes, limit, err)
	}
}

// A store that cannot write is closed within seconds.
func TestCloseOnAFullDisk(t *testing.T) {
	dir := smalldisk.Mount(t, 32)
	s := openTest(t, Options{DataDir: dir})
	smalldisk.Fill(t, dir)
	if _, err := storeJobs(t, s, "job-", 10_000); !errors.Is(err, ErrFull) {
		t.Fatalf("storing on a full disk: %v", err)
	}
	began := time.Now()
	s.Close()
	const most = 12 * time.Second // a store that waits for its server hangs for 15 s or more
	if took := time.Since(began); took > most {
		t.Errorf("closing took %v, want at most %v", took, most)
	}
}

// A store is opened with a smaller limit than the one that it was written with, and
// than what it has.
func TestLimitIsLowered(t *testing.T) {
	dir := t.TempDir()
	s := openTest(t, Options{DataDir: dir, MaxStore: 10 * MinMaxStore})
	job, err := s.PutJob(t.Context(), record.Job{ID: "first", Job: lifecycle.Job{State: wire.StateQueued}})
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 500_000)
	for n := range uint64(60) {
		if _, err := s.AppendChunk(t.Context(), "j", wire.Chunk{Sequence: n + 1, Offset: n * 500_000, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
	s = openTest(t, Options{DataDir: dir, MaxStore: MinMaxStore})
	if used, limit, err := s.LogUsage(t.Context()); err != nil || limit != s.MaxLogs() || used > limit {
		t.Errorf("logs use %d of %d bytes, %v", used, limit, err)
	}
	if _, err := s.PutJob(t.Context(), job); err != nil {
		t.Errorf("changing a job: %v", err)
	}
	if err := s.Reachable(t.Context()); err != nil {
		t.Error(err)
	}
}

// A store is opened on a disk that is full, with everything that it acknowledged, and
// goes on when there is room.
func TestOpenOnAFullDisk(t *testing.T) {
	dir := smalldisk.Mount(t, 32)
	s := openTest(t, Options{DataDir: dir})
	free := smalldisk.Fill(t, dir)
	ids, err := storeJobs(t, s, "job-", 10_000)
	if !errors.Is(err, ErrFull) {
		t.Fatalf("storing on a full disk: %v", err)
	}
	s.Close()
	s, err = Open(t.Context(), Options{DataDir: dir})
	if err != nil {
		t.Fatalf("opening: %v", err)
	}
	defer s.Close()
	mustHave(t, s, ids)
	if err := s.Reachable(t.Context()); !errors.Is(err, ErrFull) {
		t.Errorf("a store on a full disk is reachable: %v", err)
	}
	free()
	t.Logf("usable %v after the disk had room again", waitReachable(t, s))
	mustHave(t, s, ids)
	if more, err := s.PutJob(t.Context(), record.Job{ID: "more", Job: lifecycle.Job{State: wire.StateQueued}}); err != nil {
		t.Errorf("storing %s: %v", more.ID, err)
	}
}
