package store

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Which jobs have a summary in the message that stores them, and that it is that of
// the record. Others are decoded.
func TestSummaries(t *testing.T) {
	ended := record.Job{
		ID: "j", Queue: "a/b:c", RetryOf: "other",
		Job: lifecycle.Job{State: wire.StateFinished, WorkerID: "w", Result: lifecycle.Result{ExitStatus: "3"}},
	}
	for _, row := range []struct {
		name   string
		change func(*record.Job)
		known  bool
	}{
		{"ended", func(*record.Job) {}, true},
		{"canceled before it had a worker", func(j *record.Job) { j.State, j.WorkerID, j.RetryOf = wire.StateCanceled, "", "" }, true},
		{"queued", func(j *record.Job) { j.State = wire.StateQueued }, false},
		{"running", func(j *record.Job) { j.State = wire.StateRunning }, false},
		{"lost and retried", func(j *record.Job) { j.State, j.RetriedBy = wire.StateLost, "k" }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := openTest(t, Options{})
			job := ended
			row.change(&job)
			job, err := s.PutJob(t.Context(), job)
			if err != nil {
				t.Fatal(err)
			}
			c := firstChange(t, s, 0)
			got, known := c.Summary()
			want := job.Summary()
			if !row.known {
				want = record.Summary{}
			}
			if diff := cmp.Diff(want, got); known != row.known || diff != "" {
				t.Errorf("known %t, want %t (-want +got):\n%s", known, row.known, diff)
			}
			if decoded, err := c.Job(); err != nil || decoded.ID != job.ID || decoded.Revision != job.Revision {
				t.Errorf("the record is %+v, %v", decoded, err)
			}
		})
	}
}

// The message of an older version has no summary, and one that is damaged does not
// count.
func TestRecordsWithoutASummary(t *testing.T) {
	for _, header := range []string{"", "finished", "running - q w -", "x - q w -", "finished succeeded q w r more"} {
		s := openTest(t, Options{})
		msg := nats.NewMsg(jobPrefix + "j")
		if header != "" {
			msg.Header.Set(summaryHeader, header)
		}
		var err error
		if msg.Data, err = json.Marshal(record.Job{ID: "j", Job: lifecycle.Job{State: wire.StateFinished}}); err != nil {
			t.Fatal(err)
		}
		if _, err := s.replace(t.Context(), msg, 0); err != nil {
			t.Fatal(err)
		}
		c := firstChange(t, s, 0)
		if got, known := c.Summary(); known {
			t.Errorf("header %q has the summary %+v", header, got)
		}
		if job, err := c.Job(); err != nil || job.State != wire.StateFinished {
			t.Errorf("the record is %+v, %v", job, err)
		}
	}
}

// firstChange returns the first change that a watch reports after a position.
func firstChange(t *testing.T, s *Store, position uint64) (first Change) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_ = s.Watch(ctx, position, func(c Change) { // it fails because it is canceled
		first = c
		cancel()
	})
	return first
}
