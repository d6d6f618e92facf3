package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestPutDataComparesAndSets(t *testing.T) {
	s := openTest(t, Options{})
	first, err := s.PutData(t.Context(), "b", Data{Values: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.PutData(t.Context(), "b", Data{Values: map[string]string{"k": "w", "ü\x00": "<>"}, Revision: first.Revision})
	if err != nil {
		t.Fatal(err)
	}
	for name, stale := range map[string]Data{"created again": {}, "changed from an old revision": first} {
		if _, err := s.PutData(t.Context(), "b", stale); !errors.Is(err, ErrConflict) {
			t.Errorf("%s: got %v, want ErrConflict", name, err)
		}
	}
	got, err := s.Data(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second, got); diff != "" {
		t.Errorf("the stored data differ (-want +got):\n%s", diff)
	}
	for _, id := range []string{"other", "*", ""} {
		if _, err := s.Data(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("data of %q: got %v, want ErrNotFound", id, err)
		}
	}
}

// Whoever watches the state is not told of meta-data, nor sent any.
func TestDataIsNotWatched(t *testing.T) {
	s := openTest(t, Options{})
	if _, err := s.PutData(t.Context(), "b", Data{Values: map[string]string{"k": "v"}}); err != nil {
		t.Fatal(err)
	}
	w := watch(t.Context(), s)
	<-w.caughtUp
	if _, err := s.PutJob(t.Context(), Job{ID: "j", State: wire.StateQueued}); err != nil {
		t.Fatal(err)
	}
	if got := w.next(t); got != "job j queued <nil>" {
		t.Errorf("the watch gave %q first, want the job", got)
	}
}

func TestDataExpires(t *testing.T) {
	s := openTest(t, Options{Retention: time.Second})
	if _, err := s.PutData(t.Context(), "b", Data{Values: map[string]string{"k": "v"}}); err != nil {
		t.Fatal(err)
	}
	// The expiry is the server's, by the real clock: wait for it.
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		if _, err := s.Data(t.Context(), "b"); errors.Is(err, ErrNotFound) {
			return
		}
		select {
		case <-deadline.C:
			t.Fatal("still there")
		case <-poll.C:
		}
	}
}
