//go:build unix

package e2e_test

import (
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/switchyard-ci/switchyard/internal/promises"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxNamed is how many jobs of a kind are named when a promise was broken.
const maxNamed = 20

// report prints the figures of a run, and fails the test if a promise was broken.
func (r *clusterRun) report(t *testing.T, name string) {
	t.Helper()
	lost, left, twice := 0, 0, 0
	var started []time.Time
	for key, id := range r.acked {
		job := r.jobs[id]
		switch {
		case job == nil:
			lost++
			if lost <= maxNamed {
				t.Errorf("job %s of %s was acknowledged, and is not listed", id, key)
			}
		case !ended(job):
			left++
			if left <= maxNamed {
				t.Errorf("job %s of %s is left behind: %v, waits: %s", id, key, job.GetState(), job.GetWaitingReason())
			}
		}
	}
	runs := r.runs(t)
	for id, n := range runs {
		if n > 1 {
			twice++
			t.Errorf("job %s ran %d times", id, n)
		}
	}
	for id, job := range r.jobs {
		if job.GetStartedAt() != nil {
			started = append(started, job.GetStartedAt().AsTime())
		}
		r.checkJob(t, id, job, runs)
	}
	if len(r.acked) != *clusterJobs {
		t.Errorf("%d jobs of %d were acknowledged", len(r.acked), *clusterJobs)
	}
	r.checkHistory(t, runs)
	for _, note := range r.notes {
		t.Log(note)
	}
	load, _ := os.ReadFile("/proc/loadavg") // not on every system
	t.Logf("errors: %v; slowest unavailable: %v; load of the machine: %s", r.errors, r.slowestError.Round(time.Millisecond), load)
	t.Logf("| %s | acknowledged %d | lost %d | twice %d | left behind %d | longest without an acknowledgement %.1f s | longest without a dispatch %.1f s |",
		name, len(r.acked), lost, twice, left, r.longest(r.ackedAt).Seconds(), r.longest(started).Seconds())
}

// checkJob checks that a job has the result with which it ended.
func (r *clusterRun) checkJob(t *testing.T, id string, job *switchyardv1.Job, runs map[string]int) {
	t.Helper()
	if job.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED {
		if ended(job) {
			t.Errorf("job %s is %v: %s", id, job.GetState(), job.GetLostReason())
		}
		return
	}
	var number int
	if _, err := fmt.Sscanf(job.GetIdempotencyKey(), "job-%d", &number); err != nil {
		t.Errorf("job %s has the key %q", id, job.GetIdempotencyKey())
	}
	if want := fmt.Sprint(number % exitCodes); job.GetExitStatus() != want {
		t.Errorf("job %s has exit status %q, want %s", id, job.GetExitStatus(), want)
	}
	if runs[id] != 1 {
		t.Errorf("job %s is finished, and ran %d times", id, runs[id])
	}
}

// checkHistory compares what clients have seen, and each run of a job, with the promises
// of a control plane. A run is an acceptance, a start and a result, at some time.
func (r *clusterRun) checkHistory(t *testing.T, runs map[string]int) {
	t.Helper()
	history := r.history
	for key, id := range r.acked {
		var number int
		_, _ = fmt.Sscanf(key, "job-%d", &number) // it is one of ours
		for n := range runs[id] {
			token := fmt.Sprint("run", n)
			for _, op := range []struct {
				in  promises.Request
				out promises.Response
			}{
				{promises.Request{Do: "accept", Key: key, ID: id, Worker: token}, promises.Response{Outcome: promises.OK, Token: token}},
				{promises.Request{Do: "start", Key: key, ID: id, Token: token}, promises.Response{Outcome: promises.OK}},
				{
					promises.Request{Do: "finish", Key: key, ID: id, Token: token, Result: fmt.Sprint(number % exitCodes)},
					promises.Response{Outcome: promises.OK},
				},
			} {
				history = append(history, porcupine.Operation{Input: op.in, Output: op.out, Call: 0, Return: math.MaxInt64})
			}
		}
	}
	for _, part := range promises.ByKey(history) {
		if result := porcupine.CheckOperationsTimeout(promises.Model(), part, time.Minute); result != porcupine.Ok {
			t.Errorf("the history of a job is %s: %+v", result, part)
		}
	}
}
