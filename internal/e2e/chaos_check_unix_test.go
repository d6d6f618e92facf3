//go:build unix

package e2e_test

import (
	"cmp"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// checkChaos checks the jobs that were submitted and their retries.
func (c *chaosRecord) checkChaos(t *testing.T, submitted map[string]bool, all map[string]*switchyardv1.Job) {
	t.Helper()
	if len(submitted) != *chaosJobs {
		t.Errorf("%d jobs were submitted, want %d", len(submitted), *chaosJobs)
	}
	for id := range submitted {
		if all[id] == nil {
			t.Errorf("job %s was acknowledged, and is not listed", id)
		}
	}
	states := map[switchyardv1.JobState]int{}
	retries := 0
	for id, job := range all {
		states[job.GetState()]++
		if !submitted[id] {
			retries++
			if of := all[job.GetRetryOf()]; of.GetRetriedBy() != id {
				t.Errorf("job %s retries %q, which names %q as its retry", id, job.GetRetryOf(), of.GetRetriedBy())
			}
		}
		if job.GetState() == switchyardv1.JobState_JOB_STATE_LOST {
			if job.GetRetriedBy() == "" && job.GetRetries() > job.GetRetryCount() {
				t.Errorf("job %s is lost, has used %d of %d retries, and has no retry", id, job.GetRetryCount(), job.GetRetries())
			}
			if job.GetLostReason() == "" {
				t.Errorf("job %s is lost without a reason: %v", id, job)
			}
		}
	}
	t.Logf("%d jobs, %d of them retries: %v", len(all), retries, states)
	if retries == 0 {
		t.Error("no job was retried, so the test shows less than it should")
	}
	c.checkRuns(t, all)
	c.checkResults(t, all)
}

// checkRuns checks that no job ran twice, and that those ran whose end is known.
func (c *chaosRecord) checkRuns(t *testing.T, all map[string]*switchyardv1.Job) {
	t.Helper()
	notes, err := os.ReadFile(filepath.Join(c.dir, "runs"))
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]int{}
	for id := range strings.Lines(string(notes)) {
		runs[strings.TrimSpace(id)]++
	}
	for id, n := range runs {
		if all[id] == nil {
			t.Errorf("job %s ran, and is not listed", id)
		}
		if n > 1 {
			t.Errorf("job %s ran %d times: %v", id, n, all[id])
		}
	}
	for id, job := range all {
		if job.GetState() == switchyardv1.JobState_JOB_STATE_FINISHED && job.GetExitStatus() != neverRan && runs[id] != 1 {
			t.Errorf("job %s is finished with exit status %q, and ran %d times", id, job.GetExitStatus(), runs[id])
		}
		if status := job.GetExitStatus(); ended(job) && status != "" && status != neverRan && !strings.HasSuffix(job.GetCommand()[2], " exit "+status) {
			t.Errorf("job %s has exit status %s: %v", id, status, job)
		}
	}
}

// neverRan is the exit status of a job whose command never ran, or whose end was not
// seen.
const neverRan = "-1"

// Results that an agent has delivered, or stored for a later delivery.
var (
	ownResult     = regexp.MustCompile(`"event":"JobFinished job=([0-9a-f-]{36})".*"(?:exit status (\d+)"|ended by )`)
	earlierResult = regexp.MustCompile(`"delivered an undelivered job result.*"job_id":"([0-9a-f-]{36})".*"exit_status":"(\S+?)"`)
)

// knownResult is the end of a job that an agent has seen.
type knownResult struct{ agent, job, exitStatus string }

// results returns what the agents have logged of the ends of jobs.
func (c *chaosRecord) results() []knownResult {
	var known []knownResult
	for _, a := range c.agents {
		for _, p := range a.runs {
			lines, _ := p.Journal.Lines(0)
			for _, line := range lines {
				for _, pattern := range []*regexp.Regexp{ownResult, earlierResult} {
					if groups := pattern.FindStringSubmatch(line); groups != nil {
						known = append(known, knownResult{a.name, groups[1], cmp.Or(groups[2], neverRan)})
					}
				}
			}
		}
	}
	return known
}

// unrecorded returns those results that are not among the jobs.
func unrecorded(known []knownResult, all map[string]*switchyardv1.Job) []knownResult {
	return slices.DeleteFunc(slices.Clone(known), func(r knownResult) bool { return recorded(all[r.job]) == r.exitStatus })
}

// checkResults checks that the control plane knows every result that an agent knew.
func (c *chaosRecord) checkResults(t *testing.T, all map[string]*switchyardv1.Job) {
	t.Helper()
	for _, r := range unrecorded(c.known, all) {
		t.Errorf("an agent of %s had exit status %s of job %s; the control plane has %q: %v",
			r.agent, r.exitStatus, r.job, recorded(all[r.job]), all[r.job])
	}
	t.Logf("%d results in the logs of the agents", len(c.known))
	if len(c.known) == 0 {
		t.Error("no result was found in the logs of the agents")
	}
}

// recorded returns the exit status that an agent has reported of a job, also if that was
// too late.
func recorded(job *switchyardv1.Job) string {
	return cmp.Or(job.GetLateResult().GetExitStatus(), job.GetExitStatus())
}
