package schedule

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/btree"
)

// maxNamedTags bounds the tags that a text for people names, and maxNamedGroups the groups
// of jobs.
const maxNamedTags, maxNamedGroups = 4, 3

// crowd are the workers that could run the jobs of a group, by condition.
type crowd struct {
	counts [conditionCount]int
	// silence describes those that do not respond.
	silence string
}

// available returns how many of them are connected.
func (c *crowd) available() (n int) {
	for condition := free; condition < conditionCount; condition++ {
		n += c.counts[condition]
	}
	return n
}

// crowd counts the connected workers that have the tags of the group.
func (g *group) crowd(now time.Time) (c crowd) {
	q := g.queue
	var last time.Time // sign of life of those that do not respond
	g.among(q.connected, func(i int, found uint64) bool {
		for condition := free; condition < conditionCount; condition++ {
			c.counts[condition] += bits.OnesCount64(found & q.inCondition[condition].word(i))
		}
		q.numbered(i, found&q.inCondition[unresponsive].word(i), func(w *workerEntry) { last = later(last, w.seen) })
		return true
	})
	if n := c.counts[unresponsive]; n > 0 {
		c.silence = silence(last, n, now)
	}
	return c
}

// describeTags returns the tags that jobs require, for people.
func describeTags(required []string) string {
	last := len(required) - 1
	switch more := len(required) - maxNamedTags; {
	case last == 0:
		return "tag " + required[0]
	case more > 0:
		return fmt.Sprintf("tags %s and %d more", strings.Join(required[:maxNamedTags], ", "), more)
	}
	return "tags " + strings.Join(required[:last], ", ") + " and " + required[last]
}

// queueReason returns why the queued jobs of a queue wait, for people: of up to
// maxNamedGroups groups, first those that no connected worker can serve, then by their best
// job.
func (x *Index) queueReason(name string, now time.Time) string {
	q := x.queues[name]
	if _, paused := x.QueuePause(name); paused || q == nil || len(q.waiting) == 0 || q.connectedWorkers() == 0 {
		return x.WaitingReason(name, nil, now)
	}
	groups, total := q.worstGroups()
	if total == 1 {
		return x.WaitingReason(name, groups[0].required, now)
	}
	var parts []string
	for _, g := range groups {
		parts = append(parts, countJobs(g.ready.Len())+": "+x.WaitingReason(name, g.required, now))
	}
	if more := total - len(groups); more > 0 {
		parts = append(parts, fmt.Sprintf("jobs with %d other sets of tags wait too", more))
	}
	return strings.Join(parts, "; ")
}

// worstGroups returns the groups that queueReason names, and how many have ready jobs.
func (q *queueEntry) worstGroups() (worst []*group, total int) {
	first := func(groups *btree.BTreeG[*group]) (first []*group) {
		groups.Scan(func(g *group) bool {
			first = append(first, g)
			return len(first) < maxNamedGroups
		})
		return first
	}
	served := first(q.served)
	total = len(q.waiting)
	if best, waits := q.plain.ready.Min(); waits {
		total++
		at, _ := slices.BinarySearchFunc(served, best, func(g *group, j *jobEntry) int {
			if readyBefore(g.best, j) {
				return -1
			}
			return 1
		})
		served = slices.Insert(served, at, q.plain)
	}
	worst = append(first(q.unserved), served...)
	return worst[:min(len(worst), maxNamedGroups)], total
}

func countJobs(n int) string {
	if n == 1 {
		return "1 job"
	}
	return fmt.Sprintf("%d jobs", n)
}
