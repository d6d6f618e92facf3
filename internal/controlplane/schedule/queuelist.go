package schedule

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Queue is a queue as a list shows it.
type Queue struct {
	QueueStats

	Name string
	// Waiting is why the queued jobs wait, for people; empty if there are none.
	Waiting string
}

// listed reports whether a queue has a job that has not ended, a worker or a pause.
func (q *QueueStats) listed() bool {
	for state, n := range q.Jobs {
		if n > 0 && !state.Final() {
			return true
		}
	}
	return len(q.Workers) > 0 || q.Pause.Paused
}

// Queues returns a page of the queues that have jobs that have not ended, workers or a
// pause, by name, the token of the next page, and how many queues there are. It fails
// with a *record.InvalidError for a bad page. Its order is that of the names, so
// OldestFirst has no meaning.
func (x *Index) Queues(p Page, now time.Time) (queues []Queue, next string, total int, err error) {
	size, err := p.size()
	if err != nil {
		return nil, "", 0, err
	}
	stats := x.Stats().Queues
	maps.DeleteFunc(stats, func(_ string, q *QueueStats) bool { return !q.listed() })
	names := slices.Sorted(maps.Keys(stats))
	first, _ := slices.BinarySearchFunc(names, p.Token, func(name, token string) int {
		if name == token {
			return -1 // the page begins after it
		}
		return strings.Compare(name, token)
	})
	for _, name := range names[first:min(first+size, len(names))] {
		queues = append(queues, x.queueView(name, *stats[name], now))
	}
	if first+size < len(names) {
		next = names[first+size-1]
	}
	return queues, next, len(names), nil
}

// Queue returns one queue, which may be empty, and reports whether lists have it.
func (x *Index) Queue(name string, now time.Time) (queue Queue, listed bool) {
	stats := x.Stats().Queues[name]
	if stats == nil {
		stats = &QueueStats{}
	}
	return x.queueView(name, *stats, now), stats.listed()
}

func (x *Index) queueView(name string, stats QueueStats, now time.Time) Queue {
	q := Queue{QueueStats: stats, Name: name}
	if stats.Jobs[wire.StateQueued] > 0 {
		q.Waiting = x.queueReason(name, now)
	}
	return q
}
