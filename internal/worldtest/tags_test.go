package worldtest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/transport"
)

// machineTags returns the tags of a machine by its number. Of three each has others.
func machineTags(i int) []string {
	return [][]string{{"os=linux"}, {"os=mac", "gpu=a100"}, {"os=linux", "gpu=h100"}}[i%3]
}

// anyHas reports whether a machine of the world has all tags.
func (w *world) anyHas(required []string) bool {
	return slices.ContainsFunc(w.agents, func(a *agent) bool { return wire.HasTags(a.tags, required) })
}

// checkTags returns an error for each record of a job that names a worker without the tags
// that the job requires, and for each job that was started on such a machine. The caller
// holds the lock.
func (w *world) checkTags(jobs map[string]record.Job, workers map[string]record.Worker) (errs []error) {
	for id, job := range jobs {
		if worker, known := workers[job.WorkerID]; known && !wire.HasTags(worker.Tags, job.Tags) {
			errs = append(errs, fmt.Errorf("job %s requires %q, and its worker has %q", id, job.Tags, worker.Tags))
		}
		if retry := jobs[job.RetriedBy]; retry.ID != "" && !slices.Equal(retry.Tags, job.Tags) {
			errs = append(errs, fmt.Errorf("job %s requires %q, and its retry %q", id, job.Tags, retry.Tags))
		}
		for _, name := range w.starts[id] {
			for _, a := range w.agents {
				if a.name == name && !wire.HasTags(a.tags, slices.Concat(w.required[id], job.Tags)) {
					errs = append(errs, fmt.Errorf("job %s requires %q, and was started on %s, which has %q", id, w.required[id], name, a.tags))
				}
			}
		}
	}
	return errs
}

// TestAJobWithoutAWorkerKeepsNoOtherOneWaiting shows that the jobs behind it run, on the
// machines that have their tags, and that it runs when a machine with its tags comes.
func TestAJobWithoutAWorkerKeepsNoOtherOneWaiting(t *testing.T) {
	for _, mode := range []fsm.Mode{fsm.Auto, fsm.PollOnly, fsm.StreamOnly} {
		t.Run(mode.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				w := newWorld(t, 2, mode, mode)
				defer w.close()
				pass(time.Second)
				w.submit("1s", "0", 0, 0, "gpu=h100", "os=*")
				pass(time.Second)
				for range 4 {
					w.submit("1s", "0", 0, 0)
					w.submit("1s", "0", 0, 0, "os=linux")
					w.submit("1s", "0", 0, 0, "gpu=*")
				}
				pass(2 * time.Minute)
				for id, job := range w.storedJobs() {
					if waits := slices.Contains(job.Tags, "gpu=h100"); waits == job.State.Final() {
						t.Errorf("job %s, which requires %q, is %s", id, job.Tags, job.State)
					}
				}
				w.join(mode, transport.StreamAuto)
				must(t, w.behave())
				must(t, w.check())
				for id, job := range w.storedJobs() {
					if !job.State.Final() {
						t.Errorf("job %s, which requires %q, is %s", id, job.Tags, job.State)
					}
				}
			})
		})
	}
}

// dropTags submits every job without the tags that it requires.
func dropTags(_ http.ResponseWriter, r *http.Request, _ http.Handler) bool {
	if routeOf(r.URL.Path) != "SubmitJob" {
		return false
	}
	editSubmission(r, func(request *switchyardv1.SubmitJobRequest) { request.Tags = nil })
	return false
}

// tagsOf returns the tags of a step, which are separated by commas.
func tagsOf(step []string, i int) []string {
	if i >= len(step) || step[i] == "-" {
		return nil
	}
	return strings.Split(step[i], ",")
}
