package dispatch

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// counting is a store that counts the reads of jobs.
type counting struct {
	state

	reads atomic.Int32
}

func (c *counting) Job(ctx context.Context, id string) (record.Job, error) {
	c.reads.Add(1)
	return c.state.Job(ctx, id)
}

// A queued job is read again before it is assigned only if its record is too large to be
// kept in memory.
func TestAQueuedJobIsAssignedFromMemory(t *testing.T) {
	for name, row := range map[string]struct {
		argument int // the size of the command
		reads    int32
	}{"small": {1, 0}, "large": {64 << 10, 1}} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			store := &counting{state: p.st}
			p.records.state = store
			job, _, err := p.Submit(t.Context(), record.Job{Command: []string{"true", strings.Repeat("x", row.argument)}})
			must(t, err)
			feed := p.attached(p.register("a"))
			p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: job.ID})
			if got := store.reads.Load(); got != row.reads {
				t.Errorf("the job was read %d times, want %d", got, row.reads)
			}
		})
	}
}
