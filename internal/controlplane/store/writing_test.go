package store

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// A change is the record that is being written, and not decoded, only while it is written
// and only if it is the same.
func TestAChangeThatIsBeingWritten(t *testing.T) {
	t.Parallel()
	queued := record.Job{ID: "j", Command: []string{"true"}, Queue: "q", Job: lifecycle.Job{State: wire.StateQueued}}
	stored, err := record.Encode(&queued)
	if err != nil {
		t.Fatal(err)
	}
	// What is written is marked, so that it differs from what decoding returns.
	marked := queued
	marked.Queue = "not decoded"
	for name, row := range map[string]struct {
		prepare func(*writing)
		want    string // the queue
	}{
		"is not decoded":                   {func(w *writing) { w.begin(marked, stored) }, "not decoded"},
		"is decoded after the write":       {func(w *writing) { w.begin(marked, stored); w.end("j") }, "q"},
		"is decoded if it is another one":  {func(w *writing) { w.begin(marked, []byte("{}")) }, "q"},
		"is decoded if it is of another":   {func(w *writing) { w.begin(record.Job{ID: "k"}, stored) }, "q"},
		"is decoded if nothing is written": {func(*writing) {}, "q"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWriting()
			row.prepare(&w)
			got, err := Change{Kind: JobStored, ID: "j", Revision: 7, data: stored, writing: &w}.Job()
			want := queued
			want.Queue, want.Revision = row.want, 7
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("error %v, difference (-want +got):\n%s", err, diff)
			}
		})
	}
}

// Nothing is kept of a write once it has ended, whatever became of it.
func TestNothingIsKeptOfAWrite(t *testing.T) {
	s := openTest(t, Options{})
	job, err := s.PutJob(t.Context(), record.Job{ID: "j", Job: lifecycle.Job{State: wire.StateQueued}})
	if err != nil {
		t.Fatal(err)
	}
	job.Revision++
	if _, err := s.PutJob(t.Context(), job); err == nil {
		t.Error("a record was stored over one that does not exist")
	}
	if n := len(s.writing.jobs); n != 0 {
		t.Errorf("%d records are kept", n)
	}
}
