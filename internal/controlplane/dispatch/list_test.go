package dispatch

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Every job of a list matches its filter as it is returned, also while jobs change.
func TestListsMatchTheirFilterUnderLoad(t *testing.T) {
	p := newPlant(t, Options{})
	stop := make(chan struct{})
	var load sync.WaitGroup
	defer load.Wait()
	defer close(stop)
	for range 4 {
		load.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var ids []string
				for range 5 {
					job, _, err := p.Submit(t.Context(), record.Job{Command: []string{"true"}})
					if err != nil {
						t.Error(err)
						return
					}
					ids = append(ids, job.ID)
				}
				for _, id := range ids {
					if _, err := p.Cancel(t.Context(), id, "enough"); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	listed := 0
	for deadline := time.Now().Add(20 * time.Second); listed < 1000 && time.Now().Before(deadline); {
		for _, f := range []schedule.JobFilter{
			{States: []wire.JobState{wire.StateQueued}},
			{Outcomes: []lifecycle.Outcome{lifecycle.WasCanceled}},
		} {
			page, err := p.Jobs(t.Context(), f, schedule.Page{Size: 20})
			must(t, err)
			for _, job := range page.Jobs {
				if len(f.States) > 0 {
					listed++
				}
				if len(f.States) > 0 && !slices.Contains(f.States, job.State) || len(f.Outcomes) > 0 && !slices.Contains(f.Outcomes, job.Outcome()) {
					t.Fatalf("a list of %v %v has a job that is %s", f.States, f.Outcomes, job.State)
				}
			}
		}
	}
	if listed == 0 { // a busy machine finds fewer than a thousand in that time
		t.Error("no job was found in its state")
	}
}
