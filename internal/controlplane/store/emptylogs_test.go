package store

import (
	"errors"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestEmptyLogs(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		shared bool // another process writes too
		do     func(e *emptyLogs)
		want   bool
	}{
		"a new job":                        {false, func(e *emptyLogs) { e.begin("j"); e.stored("j") }, true},
		"one that is not stored yet":       {false, func(e *emptyLogs) { e.begin("j") }, false},
		"one that this process has not":    {false, func(e *emptyLogs) { e.stored("j") }, false},
		"one that may exist":               {false, func(e *emptyLogs) { e.begin("j"); e.forget("j") }, false},
		"one with a chunk":                 {false, func(e *emptyLogs) { e.begin("j"); e.stored("j"); e.forget("j") }, false},
		"one with a chunk before it knows": {false, func(e *emptyLogs) { e.begin("j"); e.forget("j"); e.stored("j") }, false},
		"one of several processes":         {true, func(e *emptyLogs) { e.begin("j"); e.stored("j") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := emptyLogs{sole: !row.shared}
			row.do(&e)
			if got := e.has("j"); got != row.want {
				t.Errorf("it is known to have no log: %t, want %t", got, row.want)
			}
		})
	}
}

// The log of a job is read as soon as it may have one, and what is known of it is dropped
// at its end.
func TestAJobHasNoLogUntilItHas(t *testing.T) {
	s := openTest(t, Options{})
	job, err := s.PutJob(t.Context(), record.Job{ID: "j", Job: lifecycle.Job{State: wire.StateQueued}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.LastChunk(t.Context(), "j"); !errors.Is(err, ErrNotFound) || !s.emptyLogs.has("j") {
		t.Errorf("got %v, want it known that there is no chunk", err)
	}
	if _, err := s.AppendChunk(t.Context(), "j", wire.Chunk{Sequence: 1, Data: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if c, err := s.LastChunk(t.Context(), "j"); err != nil || c.Sequence != 1 {
		t.Errorf("got chunk %d (%v), want 1", c.Sequence, err)
	}
	if _, err := s.PutJob(t.Context(), record.Job{ID: "j", Job: lifecycle.Job{State: wire.StateQueued}}); !errors.Is(err, ErrConflict) {
		t.Errorf("storing it again: %v", err)
	}
	other, err := s.PutJob(t.Context(), record.Job{ID: "k", Job: lifecycle.Job{State: wire.StateQueued}})
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range []record.Job{job, other} {
		job.State = wire.StateCanceled
		if _, err := s.PutJob(t.Context(), job); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(s.emptyLogs.jobs); n != 0 {
		t.Errorf("%d jobs are remembered after the end of all", n)
	}
}
