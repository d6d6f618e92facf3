package schedule

import (
	"fmt"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// The jobs that no worker can run are counted a portion at a time, where they require many
// sets of tags. What a job waits for is known at once.
func TestUnservedGroupsAreFoundInPortions(t *testing.T) {
	t.Parallel()
	const sets = 3*maxChecks + 1
	c := newCrowded()
	for i := range sets {
		c.job(fmt.Sprintf("j%04d", i), "os=linux", fmt.Sprintf("unit=%d", i))
	}
	c.job("other", "os=mac")
	unmatched := func() int { return c.x.Stats().Queues["q"].Unmatched }
	if n := unmatched(); n != sets+1 {
		t.Errorf("%d jobs are unmatched, want %d", n, sets+1)
	}
	tags := []string{"os=linux"}
	for i := range sets {
		tags = append(tags, fmt.Sprintf("unit=%d", i))
	}
	for w := range len(tags)/900 + 1 {
		c.worker(fmt.Sprint("w", w), append([]string{"os=linux"}, tags[w*900:min(len(tags), (w+1)*900)]...)...)
	}
	if got := c.x.WaitingReason("q", []string{"os=linux", "unit=1500"}, c.now); !strings.Contains(got, "is free") {
		t.Errorf("a job waits because %q", got)
	}
	for _, want := range []int{sets + 1 - maxChecks, sets + 1 - 2*maxChecks} {
		if n := unmatched(); n < want-1 || n > want+1 { // the other job may be among those that were looked at
			t.Errorf("%d jobs are unmatched, want %d", n, want)
		}
	}
	for range 2 {
		c.x.Tidy(c.now, 0)
	}
	if n := unmatched(); n != 1 {
		t.Errorf("%d jobs are unmatched, want 1", n)
	}
	if got := c.x.queueReason("q", c.now); !strings.HasPrefix(got, "1 job: no worker in queue q has the tag os=mac; 1 job: a worker in queue q with the tags") ||
		!strings.HasSuffix(got, fmt.Sprintf("jobs with %d other sets of tags wait too", sets-2)) {
		t.Errorf("the queue waits because %q", got)
	}
	c.revision++
	c.x.ApplyWorker(record.Worker{ID: "w1", Queue: "q", Revision: c.revision, Worker: workerstate.Worker{State: workerstate.Lost}}, c.now)
	for range 4 {
		c.x.Tidy(c.now, 0)
	}
	if n := unmatched(); n != 901 {
		t.Errorf("%d jobs are unmatched, want 901", n)
	}
}
