package store

import (
	"fmt"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Both ways of reading many records return those that are stored, as they are, and
// leave out one that is missing and one that is damaged.
func TestManyJobsAreRead(t *testing.T) {
	s := openTest(t, Options{})
	ids := []string{"missing", "damaged"}
	want := map[string]record.Job{}
	for i := range 300 {
		job, err := s.PutJob(t.Context(), record.Job{
			ID: fmt.Sprint("job-", i), Queue: fmt.Sprint("q", i), Job: lifecycle.Job{State: wire.StateQueued},
		})
		if err != nil {
			t.Fatal(err)
		}
		want[job.ID] = job
		ids = append(ids, job.ID)
	}
	if _, err := s.replace(t.Context(), &nats.Msg{Subject: jobPrefix + "damaged", Data: []byte("{")}, 0); err != nil {
		t.Fatal(err)
	}
	for name, direct := range map[string]bool{"one request": true, "a request for each": false} {
		s.state.CachedInfo().Config.AllowDirect = direct
		got, size, err := s.Jobs(t.Context(), ids)
		if err != nil || len(got) != len(want) || size < 300*len(`{"id":"job-0"}`) {
			t.Errorf("%s: %d jobs of %d bytes, %v; want %d", name, len(got), size, err, len(want))
		}
		for id, job := range want {
			if got[id].Queue != job.Queue || got[id].Revision != job.Revision {
				t.Errorf("%s: got %+v, want %+v", name, got[id], job)
			}
		}
		if got, _, err := s.Jobs(t.Context(), []string{"missing"}); err != nil || len(got) != 0 {
			t.Errorf("%s: a missing job: %v, %v", name, got, err)
		}
		if got, _, err := s.Jobs(t.Context(), nil); err != nil || len(got) != 0 {
			t.Errorf("%s: no jobs: %v, %v", name, got, err)
		}
	}
}
