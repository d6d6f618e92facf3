package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// A large crowd is not counted for each reason that is asked for, but that it has its first
// worker, or none any more, is known at once.
func TestALargeCrowdIsCountedSeldom(t *testing.T) {
	t.Parallel()
	const workers = 3 * largeCrowd
	c := newCrowded()
	for i := range workers {
		c.worker(fmt.Sprint("w", i), fmt.Sprintf("half=%d", i%2), "os=linux")
	}
	waits := func(want string, tags ...string) {
		t.Helper()
		if got := c.x.WaitingReason("q", tags, c.now); !strings.Contains(got, want) {
			t.Errorf("jobs with %v wait because %q, want %q", tags, got, want)
		}
	}
	both := []string{"half=0", "half=1"}
	c.job("busy", "os=linux")
	c.job("unserved", both...)
	waits("is free", "os=linux")
	waits("no worker in queue q has", both...)
	if n := c.x.Stats().Queues["q"].Unmatched; n != 1 {
		t.Errorf("%d jobs are unmatched, want 1", n)
	}
	g := c.x.group("q", []string{"os=linux"})
	counted := g.crowd.at
	c.now = c.now.Add(2 * crowdAge)
	c.worker("both", "half=0", "half=1", "os=linux")
	waits("is free", both...)
	waits("is free", "os=linux")
	if !g.crowd.at.Equal(counted) {
		t.Errorf("%d workers are counted again after %v", workers, 2*crowdAge)
	}
	if n := c.x.Stats().Queues["q"].Unmatched; n != 0 {
		t.Errorf("%d jobs are unmatched, want none", n)
	}
	c.revision++
	c.x.ApplyWorker(record.Worker{
		ID: "both", Queue: "q", Revision: c.revision, Worker: workerstate.Worker{State: workerstate.Lost},
	}, c.now)
	waits("no worker in queue q has", both...)
	c.now = c.now.Add(time.Minute)
	waits("is free", "os=linux")
	if g.crowd.at.Equal(counted) {
		t.Error("the workers are never counted again")
	}
}
