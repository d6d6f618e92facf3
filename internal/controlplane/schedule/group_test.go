package schedule

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// crowded is an index with many groups of jobs or many workers.
type crowded struct {
	x        *Index
	now      time.Time
	revision uint64
}

func newCrowded() *crowded { return &crowded{x: New(), now: time.Now()} }

func (c *crowded) job(id string, tags ...string) {
	c.revision++
	c.x.ApplyJob(record.Job{ID: id, Queue: "q", Tags: tags, Revision: c.revision, Job: lifecycle.Job{State: wire.StateQueued}}, c.now, c.now)
}

func (c *crowded) worker(id string, tags ...string) {
	c.revision++
	c.x.ApplyWorker(record.Worker{
		ID: id, Name: id, Queue: "q", Tags: tags, Revision: c.revision, Worker: workerstate.Worker{State: workerstate.Available},
	}, c.now)
}

// After a restart all queued jobs are there before the workers, when no tag is rarer than
// another. The workers that become idle do not look at the same groups again and again.
func TestGroupsOfBeforeTheWorkers(t *testing.T) {
	t.Parallel()
	const sets, workers = 500, 100
	c := newCrowded()
	for i := range sets {
		c.job(fmt.Sprint(i), "arch=amd64", fmt.Sprintf("unit=%d", i))
	}
	for i := range workers {
		c.worker(fmt.Sprint("w", i), "arch=amd64", fmt.Sprintf("unit=other%d", i))
	}
	c.x.Attach("w0", nullStream{})
	if claims := c.x.Match(); len(claims) != 0 {
		t.Errorf("claims %+v", claims)
	}
	if n := c.x.queues["q"].tags[requiredKey("arch=amd64")].filed.groups.Len(); n != 0 {
		t.Errorf("a worker that becomes idle looks at %d groups that it cannot serve", n)
	}
	c.worker("late", "arch=amd64", "unit=77")
	c.x.Attach("late", nullStream{})
	if claims := c.x.Match(); len(claims) != 1 || claims[0].JobID != "77" {
		t.Errorf("claims %+v", claims)
	}
}

// The text of many long tags is in memory once, and what no worker has costs little.
func TestATextOfTagsIsShared(t *testing.T) {
	t.Parallel()
	c := newCrowded()
	c.job("1", "a="+strings.Repeat("x", 200), "b=1")
	c.job("2", "a="+strings.Repeat("x", 200), "b=1")
	one, _ := c.x.Record("1")
	two, _ := c.x.Record("2")
	if &one.Tags[0] != &two.Tags[0] {
		t.Error("the kept records of two jobs have their tags each by itself")
	}
	for key, tag := range c.x.queues["q"].tags {
		if tag.idle != nil || tag.workers != nil {
			t.Errorf("workers are sorted for the tag %v, which no worker has", key)
		}
	}
}

// A worker with more tags than are looked through has the same ones.
func TestAWorkerWithManyTags(t *testing.T) {
	t.Parallel()
	for _, tags := range []int{1, fewTags / 2, fewTags, wire.MaxWorkerTags} {
		c := newCrowded()
		names := make([]string, tags)
		for i := range names {
			names[i] = fmt.Sprintf("k%d=v", i)
		}
		c.worker("w", names...)
		c.job("none", "k0=v", "other=1")
		c.job("has", "k0=v", fmt.Sprintf("k%d=*", tags-1))
		c.x.Attach("w", nullStream{})
		if claims := c.x.Match(); len(claims) != 1 || claims[0].JobID != "has" {
			t.Errorf("%d tags: claims %+v", tags, claims)
		}
	}
}
