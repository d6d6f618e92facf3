package store

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// watching collects the changes of a watch as lines.
type watching struct {
	lines chan string
	done  chan error
}

func watch(ctx context.Context, s *Store) *watching {
	w := &watching{lines: make(chan string, 100), done: make(chan error, 1)}
	go func() {
		w.done <- s.Watch(ctx, 0, func(c Change) {
			switch c.Kind {
			case JobStored:
				job, err := c.Job()
				w.lines <- fmt.Sprint("job ", job.ID, " ", job.State, " ", err)
			case WorkerStored:
				worker, err := c.Worker()
				w.lines <- fmt.Sprint("worker ", worker.ID, " ", worker.State, " ", err)
			case QueuePauseStored:
				p, err := c.QueuePause()
				w.lines <- fmt.Sprint("queue ", p.Queue, " ", p.Paused, " ", err)
			case JobDeleted, OtherStored:
				w.lines <- "other"
			}
		})
	}()
	return w
}

func (w *watching) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-w.lines:
		return line
	case <-t.Context().Done():
		return "nothing"
	}
}

func TestWatchReportsPresentRecordsThenNewOnes(t *testing.T) {
	s := openTest(t, Options{})
	if _, err := s.PutWorker(t.Context(), record.Worker{ID: "a", Worker: workerstate.Worker{State: workerstate.Available}}); err != nil {
		t.Fatal(err)
	}
	job, err := s.PutJob(t.Context(), record.Job{ID: "j", Job: lifecycle.Job{State: wire.StateQueued}})
	if err != nil {
		t.Fatal(err)
	}
	job.State = wire.StateAssigned
	if _, err := s.PutJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w := watch(ctx, s)
	var got []string
	got = append(got, w.next(t), w.next(t))
	if err := s.PutKey(t.Context(), "k", Key{JobID: "j"}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.PutJob(t.Context(), record.Job{ID: "j2", Job: lifecycle.Job{State: wire.StateQueued}}); err != nil {
		t.Fatal(err)
	}
	got = append(got, w.next(t), w.next(t))
	want := []string{"worker a available <nil>", "job j assigned <nil>", "other", "job j2 queued <nil>"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	cancel()
	if err := <-w.done; !errors.Is(err, context.Canceled) {
		t.Errorf("the watch ended with %v, want the context's error", err)
	}
}

func TestWatchEndsWithTheStore(t *testing.T) {
	s := openTest(t, Options{})
	w := watch(t.Context(), s)
	s.Close()
	if err := <-w.done; !errors.Is(err, ErrUnavailable) {
		t.Errorf("the watch ended with %v, want ErrUnavailable", err)
	}
}

func TestSignalsReachEveryReplica(t *testing.T) {
	srv := startExternal(t)
	one, two := openTest(t, Options{URL: srv.ClientURL()}), openTest(t, Options{URL: srv.ClientURL()})
	signals := make(chan string, 4)
	for name, s := range map[string]*Store{"one": one, "two": two} {
		stop, err := s.OnSignal(func(data []byte) { signals <- name + " " + string(data) })
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(stop)
	}
	// A subscription is active once the server has responded to a later request.
	if _, err := two.Job(t.Context(), "none"); !errors.Is(err, ErrNotFound) {
		t.Fatal(err)
	}
	if err := one.Signal([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{<-signals: true, <-signals: true}
	if !got["one hello"] || !got["two hello"] {
		t.Errorf("got signals %v", got)
	}
}
