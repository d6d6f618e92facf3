package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// loaded returns what Load passes on, in lines and sorted, and the position.
func loaded(t *testing.T, s *Store) (lines []string, position uint64) {
	t.Helper()
	position, err := s.Load(t.Context(), func(c Change) {
		summary, known := c.Summary()
		switch {
		case known:
			lines = append(lines, fmt.Sprint("summary ", summary.ID, " ", summary.Outcome))
		case c.Kind == JobStored:
			job, err := c.Job()
			lines = append(lines, fmt.Sprint("job ", job.ID, " ", job.State, " ", err))
		case c.Kind == WorkerStored:
			worker, err := c.Worker()
			lines = append(lines, fmt.Sprint("worker ", worker.ID, " ", worker.State, " ", err))
		default:
			lines = append(lines, "other")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(lines)
	return lines, position
}

// Load passes on every job and worker as it is: the jobs that have ended by their
// summary, and all others, those of an older version included, by their record. Watch
// continues with what was stored later.
func TestLoad(t *testing.T) {
	s := openTest(t, Options{})
	if lines, position := loaded(t, s); len(lines) > 0 || position != 0 {
		t.Errorf("an empty store has %q at %d", lines, position)
	}
	var want []string
	for i := range 2*loadRecords + 7 { // more than are read at a time
		id := fmt.Sprintf("queued-%04d", i)
		if _, err := s.PutJob(t.Context(), record.Job{ID: id, Job: lifecycle.Job{State: wire.StateQueued}}); err != nil {
			t.Fatal(err)
		}
		want = append(want, "job "+id+" queued <nil>")
	}
	ended := record.Job{ID: "ended", Job: lifecycle.Job{State: wire.StateFinished, Result: lifecycle.Result{ExitStatus: "0"}}}
	retried := record.Job{ID: "retried", Job: lifecycle.Job{State: wire.StateLost, RetriedBy: "queued-0000"}}
	for _, job := range []record.Job{ended, retried} {
		if _, err := s.PutJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	old, err := record.Encode(&record.Job{ID: "old", Job: lifecycle.Job{State: wire.StateCanceled}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.replace(t.Context(), &nats.Msg{Subject: jobPrefix + "old", Data: old}, 0); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutWorker(t.Context(), record.Worker{ID: "w", Worker: workerstate.Worker{State: workerstate.Available}}); err != nil {
		t.Fatal(err)
	}
	if err := s.PutKey(t.Context(), "k", Key{JobID: "ended"}); err != nil {
		t.Fatal(err)
	}
	want = append(want, "summary ended succeeded", "job retried lost <nil>", "job old canceled <nil>", "worker w available <nil>")
	slices.Sort(want)
	for name, direct := range map[string]bool{"one copy": true, "several copies": false} {
		s.state.CachedInfo().Config.AllowDirect = direct
		lines, position := loaded(t, s)
		if diff := cmp.Diff(want, lines); diff != "" {
			t.Errorf("%s: loaded (-want +got):\n%s", name, diff)
		}
		later := "later-" + fmt.Sprint(direct)
		stored, err := s.PutJob(t.Context(), record.Job{ID: later, Job: lifecycle.Job{State: wire.StateQueued}})
		if err != nil {
			t.Fatal(err)
		}
		if want = append(want, "job "+later+" queued <nil>"); position != stored.Revision-1 {
			t.Errorf("%s: the position is %d, want %d", name, position, stored.Revision-1)
		}
		slices.Sort(want)
		if first := firstChange(t, s, position); first.ID != later {
			t.Errorf("%s: the watch continues with %s, want %s", name, first.ID, later)
		}
	}
}

// A reader ends also where the last message is gone when its turn comes: it has expired, or
// was purged, as what tries a permission is.
func TestTheLastMessageIsGone(t *testing.T) {
	t.Parallel()
	s := openTest(t, Options{})
	for _, id := range []string{"first", "last"} {
		if _, err := s.PutJob(t.Context(), record.Job{ID: id, Job: lifecycle.Job{State: wire.StateQueued}}); err != nil {
			t.Fatal(err)
		}
	}
	state, err := s.js.Stream(t.Context(), stateStream)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var left []uint64
	one := reading{stream: stateStream, ahead: readAhead{1, 1 << 20}} // requests one message at a time
	err = s.read(ctx, one, func(pending uint64) {
		if left = append(left, pending); pending == 0 {
			stop()
		}
	}, func(jetstream.Msg, *jetstream.MsgMetadata) bool {
		return state.Purge(t.Context(), jetstream.WithPurgeSubject(jobPrefix+"last")) == nil
	})
	if want := []uint64{2, 1, 0}; !slices.Equal(left, want) || !errors.Is(err, context.Canceled) {
		t.Errorf("left were %d, want %d; %v", left, want, err)
	}
}
