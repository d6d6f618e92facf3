package worldtest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// No change of a replica's wall clock, and no difference between the clocks of replicas,
// ends a term: the job below runs to its end, and its worker is never lost.
func TestWallClocksEndNoTerm(t *testing.T) {
	for name, row := range map[string]struct {
		replicas int
		set      func(w *world) // while the job runs
	}{
		"one replica, forward":          {1, func(w *world) { w.clocks[0].set(2 * time.Hour) }},
		"one replica, back":             {1, func(w *world) { w.clocks[0].set(-3 * time.Hour) }},
		"two replicas, one of them":     {2, func(w *world) { w.clocks[1].set(26 * time.Hour) }},
		"two replicas, the agent moves": {2, func(w *world) { w.clocks[0].set(-time.Hour); w.agents[0].cut(false) }},
		"forward and back, the agent moves": {2, func(w *world) {
			w.clocks[0].set(48 * time.Hour)
			pass(5 * time.Second)
			w.clocks[0].set(-48 * time.Hour)
			w.agents[0].cut(false)
		}},
		"a replica starts in between": {2, func(w *world) {
			w.clocks[1].set(5 * time.Hour)
			w.killReplica(1)
			pass(time.Second)
			w.startReplica(1)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var err error
			inBubble(t, func(t *testing.T) { err = runOneJob(t, row.replicas, row.set) })
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// The check above fails for a replica whose moments have no monotonic reading.
func TestWallClocksWithoutMonotonicReading(t *testing.T) {
	var err error
	inBubble(t, func(t *testing.T) {
		err = runOneJob(t, 1, func(w *world) {
			w.clocks[0].strip()
			w.clocks[0].set(2 * time.Hour)
		})
	})
	if err == nil {
		t.Error("the job ran to its end, want it to time out")
	}
}

// runOneJob runs a job of a minute with a timeout of ten, and returns an error unless it
// was submitted, assigned, accepted, started and finished, and nothing else happened.
func runOneJob(t *testing.T, replicas int, meanwhile func(*world)) error {
	t.Helper()
	w := newWorld(t, replicas, fsm.Auto)
	defer w.close()
	pass(time.Second)
	w.submit("1m", "0", 10*time.Minute, 2)
	pass(20 * time.Second)
	meanwhile(w)
	pass(2 * time.Minute)
	w.calls.Wait()
	errs := []error{w.check()}
	jobs := w.storedJobs()
	if len(jobs) != 1 || len(w.submitted) != 1 {
		errs = append(errs, fmt.Errorf("%d jobs are stored and %d acknowledged, want one", len(jobs), len(w.submitted)))
	}
	for id, job := range jobs {
		var events []string
		for _, entry := range job.History.Entries {
			events = append(events, entry.Event)
		}
		if !slices.Equal(events, words("Submitted Assigned Accepted Started Finished")) || job.State != wire.StateFinished || job.ExitStatus != "0" {
			errs = append(errs, fmt.Errorf("job %s is %s with %q, after %v", id, job.State, job.ExitStatus, events))
		}
	}
	for _, message := range w.storage.records(w.ctx, t) {
		if strings.HasPrefix(message.subject, "worker.") && !strings.Contains(string(message.data), `"state":"available"`) {
			errs = append(errs, fmt.Errorf("the worker became %s", message.data))
		}
	}
	return errors.Join(errs...)
}
