package schedule

import (
	"fmt"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// ApplyQueuePause takes the stored pause of a queue, or its end, into the index. An
// older record than the known one is ignored. A paused queue is a fact of every claim:
// Match, ClaimIdle and Ping claim none of its jobs.
func (x *Index) ApplyQueuePause(p record.QueuePause) {
	if p.Revision <= x.pauses[p.Queue].Revision {
		return
	}
	x.pauses[p.Queue] = p
	if q := x.queues[p.Queue]; q != nil && !p.Paused {
		x.changed[q] = struct{}{}
	}
}

// QueuePause returns the pause of a queue, and reports whether it is paused.
func (x *Index) QueuePause(queue string) (p record.QueuePause, paused bool) {
	p = x.pauses[queue]
	return p, p.Paused
}

// PausedQueues returns how many queues are paused.
func (x *Index) PausedQueues() (n int) {
	for _, p := range x.pauses {
		if p.Paused {
			n++
		}
	}
	return n
}

// paused reports whether no job of the queue is claimed.
func (x *Index) paused(q *queueEntry) bool { return x.pauses[q.name].Paused }

// tidyPauses drops the records of queues that were resumed. The watch must have passed
// the record, or an older one could come back.
func (x *Index) tidyPauses() {
	for name, p := range x.pauses {
		if !p.Paused && p.Revision <= x.position {
			delete(x.pauses, name)
		}
	}
}

// pauseReason returns why the jobs of a paused queue wait, for people.
func pauseReason(p record.QueuePause) string {
	return fmt.Sprintf("queue %s is paused by %s since %s: %s", p.Queue, p.By, p.At.UTC().Format(time.RFC3339), p.Reason)
}
