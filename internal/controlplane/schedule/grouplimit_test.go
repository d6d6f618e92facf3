package schedule

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// longSet returns the largest set of tags, another one for each number.
func longSet(n int) []string {
	tags := make([]string, wire.MaxRequiredTags)
	for i := range tags {
		tags[i] = fmt.Sprintf("%02d=%06d", i, n) + strings.Repeat("x", wire.MaxRequiredTag-9)
	}
	return tags
}

// A job with one more set of tags is refused when those of its queue, or of all queues, are at
// their limit; one with a set that other jobs require is not, nor is one without tags. When
// jobs have ended there is room again.
func TestSetsOfTagsAreLimited(t *testing.T) {
	t.Parallel()
	x, now, revision, n := New(), time.Now(), uint64(0), 0
	x.maxTagSets = 4 << 20
	put := func(queue string, n int, state wire.JobState) {
		revision++
		x.ApplyJob(record.Job{
			ID: fmt.Sprint(queue, n), Queue: queue, Tags: longSet(n), Revision: revision, Job: lifecycle.Job{State: state},
		}, now, now)
	}
	fill := func(queue string) error {
		for ; n < x.maxTagSets; n++ {
			if err := x.CheckTags(queue, longSet(n)); err != nil {
				return err
			}
			put(queue, n, wire.StateQueued)
		}
		return nil
	}
	wants := func(err error, queue, text string) {
		t.Helper()
		limit, ok := errors.AsType[*TagLimitError](err)
		if !ok || limit.Queue != queue || !strings.Contains(err.Error(), text) {
			t.Fatalf("got %v, want the limit of queue %q, %q", err, queue, text)
		}
	}
	wants(fill("one"), "one", fmt.Sprintf("jobs of queue one that have not ended require %d different sets, which take 2 MiB", n))
	first := n
	for _, tags := range [][]string{nil, longSet(0)} {
		if err := x.CheckTags("one", tags); err != nil {
			t.Error(err)
		}
	}
	if err := x.CheckTags("two", longSet(0)); err != nil {
		t.Error(err)
	}
	if got, most := x.Stats().Queues["one"].TagSetBytes, x.maxTagSets/2; got > most || got < most*9/10 {
		t.Errorf("the sets of a queue take %d bytes, want nearly %d", got, most)
	}
	_ = fill("two")
	wants(fill("three"), "", fmt.Sprintf("jobs of all queues that have not ended require %d different sets, which take 4 MiB", n))
	if got := x.Stats().TagsRefused; got != 3 {
		t.Errorf("%d jobs are refused, want 3", got)
	}
	put("one", 0, wire.StateCanceled)
	for _, queue := range []string{"one", "three"} {
		if err := x.CheckTags(queue, longSet(first)); err != nil {
			t.Error(err)
		}
	}
	if groups := len(x.queues["one"].groups); x.groupBytes > x.maxTagSets+2*groupSize(longSet(0)) || groups < first-1 {
		t.Errorf("%d sets of the first queue are left; all take %d bytes", groups, x.groupBytes)
	}
}

// Asking what ever new sets of tags would wait for leaves no more than the limit.
func TestSetsWithoutJobsMakeRoom(t *testing.T) {
	t.Parallel()
	c := newCrowded()
	c.x.maxTagSets = 1 << 20
	c.worker("w", "os=linux")
	c.job("j", longSet(0)...)
	for n := range 2 * c.x.maxTagSets / groupSize(longSet(0)) {
		if got := c.x.WaitingReason("q", longSet(n), c.now); !strings.HasPrefix(got, "no worker in queue q has the tags 00=") {
			t.Fatalf("reason %q", got)
		}
	}
	if c.x.groupBytes > c.x.maxTagSets || c.x.queues["q"].groups[groupKey(longSet(0))] == nil {
		t.Errorf("the sets take %d bytes, want at most %d, those of jobs included", c.x.groupBytes, c.x.maxTagSets)
	}
}
