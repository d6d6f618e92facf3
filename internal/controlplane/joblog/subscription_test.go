package joblog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// What waits for a follower that does not read is bounded in number, and has one
// copy of the environment, however often the job changes.
func TestASlowFollowerIsCheap(t *testing.T) {
	s := NewSubscription()
	var env map[string]string
	for revision := range uint64(3 * maxChanges) {
		// Each record is decoded, so each has an environment of its own.
		job := record.Job{Revision: revision + 1, Env: map[string]string{"LARGE": strings.Repeat("x", 512<<10)}}
		job.History = lifecycle.History{}.With(lifecycle.Entry{Reason: "because"})
		if env == nil {
			env = job.Env
		}
		s.Add(job)
	}
	changes := s.take()
	if len(changes) != maxChanges || changes[maxChanges-1].Revision != 3*maxChanges {
		t.Errorf("%d changes wait, the last of revision %d", len(changes), changes[len(changes)-1].Revision)
	}
	for _, job := range changes {
		if len(job.History.Entries) > 0 {
			t.Fatal("the history of a job waits for a follower, which is not sent it")
		}
		if fmt.Sprintf("%p", job.Env) != fmt.Sprintf("%p", env) {
			t.Fatal("the environment of a job waits more than once")
		}
	}
}
