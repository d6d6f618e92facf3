package schedule

import (
	"fmt"
	"strings"
	"testing"

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

// Asking what ever new sets of tags would wait for leaves no more than the limit.
func TestSetsWithoutJobsMakeRoom(t *testing.T) {
	t.Parallel()
	c := newCrowded()
	c.worker("w", "os=linux")
	c.job("j", longSet(0)...)
	for n := range 2 * MaxTagSets / groupSize(longSet(0)) {
		if got := c.x.WaitingReason("q", longSet(n), c.now); !strings.HasPrefix(got, "no worker in queue q has the tags 00=") {
			t.Fatalf("reason %q", got)
		}
	}
	if c.x.groupBytes > MaxTagSets || c.x.queues["q"].groups[groupKey(longSet(0))] == nil {
		t.Errorf("the sets take %d bytes, want at most %d, those of jobs included", c.x.groupBytes, MaxTagSets)
	}
}
