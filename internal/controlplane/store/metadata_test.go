package store

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestPutMetadataComparesAndSets(t *testing.T) {
	s := openTest(t, Options{})
	first, err := s.PutMetadata(t.Context(), "b", record.Metadata{Values: map[string]string{"k": "v"}})
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.PutMetadata(t.Context(), "b", record.Metadata{Values: map[string]string{"k": "w", "ü\x00": "<>"}, Revision: first.Revision})
	if err != nil {
		t.Fatal(err)
	}
	for name, stale := range map[string]record.Metadata{"created again": {}, "changed from an old revision": first} {
		if _, err := s.PutMetadata(t.Context(), "b", stale); !errors.Is(err, ErrConflict) {
			t.Errorf("%s: got %v, want ErrConflict", name, err)
		}
	}
	got, err := s.Metadata(t.Context(), "b")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(second, got); diff != "" {
		t.Errorf("the stored meta-data differs (-want +got):\n%s", diff)
	}
	for _, id := range []string{"other", "*", ""} {
		if _, err := s.Metadata(t.Context(), id); !errors.Is(err, ErrNotFound) {
			t.Errorf("meta-data of %q: got %v, want ErrNotFound", id, err)
		}
	}
}

// A watch of the state does not receive meta-data.
func TestMetadataIsNotWatched(t *testing.T) {
	s := openTest(t, Options{})
	if _, err := s.PutMetadata(t.Context(), "b", record.Metadata{Values: map[string]string{"k": "v"}}); err != nil {
		t.Fatal(err)
	}
	w := watch(t.Context(), s)
	if _, err := s.PutJob(t.Context(), record.Job{ID: "j", Job: lifecycle.Job{State: wire.StateQueued}}); err != nil {
		t.Fatal(err)
	}
	if got := w.next(t); got != "job j queued <nil>" {
		t.Errorf("the watch gave %q first, want the job", got)
	}
}

func TestMetadataExpires(t *testing.T) {
	s := openTest(t, Options{Retention: time.Second})
	if _, err := s.PutMetadata(t.Context(), "b", record.Metadata{Values: map[string]string{"k": "v"}}); err != nil {
		t.Fatal(err)
	}
	// The server expires records by the real clock: wait for it.
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	for {
		if _, err := s.Metadata(t.Context(), "b"); errors.Is(err, ErrNotFound) {
			return
		}
		select {
		case <-deadline.C:
			t.Fatal("still there")
		case <-poll.C:
		}
	}
}
