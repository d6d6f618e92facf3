package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// crowdAge is for how long a count is used again if no worker's condition has changed. For
	// each largeCrowd of the workers that are looked at, it is used for crowdAge whatever has
	// changed but whether there are such workers: the reason is asked for of each job that is
	// submitted and of each of a list, and a count keeps all else from the index.
	crowdAge   = time.Second
	largeCrowd = 1000
	// maxNamedTags bounds the tags that a text for people names, and maxNamedGroups the
	// groups of jobs.
	maxNamedTags, maxNamedGroups = 4, 3
)

// crowd are the workers that could run the jobs of a group, by condition.
type crowd struct {
	counts [conditionCount]int
	// silence describes those that do not respond.
	silence string
	// version is of the queue, and at the time, when they were counted, and size is how many
	// workers were looked at.
	version uint64
	at      time.Time
	size    int
}

// connected returns how many of them are connected.
func (c *crowd) connected() int {
	return c.counts[free] + c.counts[busy] + c.counts[unresponsive] + c.counts[paused] + c.counts[draining]
}

// crowdOf counts the workers that have the tags of a group. It looks at those that have the
// one which the fewest workers have.
func (x *Index) crowdOf(g *group, now time.Time) crowd {
	old, q := &g.crowd, g.queue
	age := now.Sub(old.at)
	recent := old.version == q.version && age < crowdAge || age < crowdAge*time.Duration(old.size/largeCrowd)
	if recent && !old.at.IsZero() && (old.connected() > 0) == x.isServed(g) {
		return *old
	}
	rarest := g.rarest()
	c := crowd{version: q.version, at: now, size: len(rarest.workers)}
	var last time.Time // sign of life of those that do not respond
	for w := range rarest.workers {
		if !w.serves(g) {
			continue
		}
		c.counts[w.counted]++
		if w.counted == unresponsive {
			last = later(last, w.seen)
		}
	}
	if n := c.counts[unresponsive]; n > 0 {
		c.silence = silence(last, n, now)
	}
	g.crowd = c
	return c
}

// isServed reports whether a connected worker has the tags of a group. It looks through the
// workers only if the one that it has found before has left, or if it has found none and one
// has connected since.
func (x *Index) isServed(g *group) bool {
	q := g.queue
	if w := g.server; w != nil && x.workers[w.record.ID] == w && w.record.State.Connected() {
		return true
	}
	if g.server == nil && g.unserved == q.connections && q.connections != 0 {
		return false
	}
	g.server, g.unserved = nil, q.connections
	for w := range g.rarest().workers {
		if w.record.State.Connected() && w.serves(g) {
			g.server = w
			return true
		}
	}
	return false
}

// rarest returns the tag of the group that the fewest workers have.
func (g *group) rarest() *tagEntry {
	return slices.MinFunc(g.tags, func(a, b *tagEntry) int { return cmp.Compare(len(a.workers), len(b.workers)) })
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

// unmatched returns how many ready jobs of the queue require tags that no connected worker
// has.
func (x *Index) unmatched(q *queueEntry) (jobs int) {
	for _, g := range q.groups {
		if g.filed != nil && !x.isServed(g) {
			jobs += g.ready.Len()
		}
	}
	return jobs
}

// queueReason returns why the queued jobs of a queue wait, for people: of up to
// maxNamedGroups groups, first those that no connected worker can serve, then by their best
// job.
func (x *Index) queueReason(name string, now time.Time) string {
	q := x.queues[name]
	if _, paused := x.QueuePause(name); paused || q == nil || q.filed == 0 || q.connected() == 0 {
		return x.WaitingReason(name, nil, now)
	}
	groups, total := x.worstGroups(q)
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
func (x *Index) worstGroups(q *queueEntry) (worst []*group, total int) {
	groups := make([]*group, 0, q.filed+1)
	if q.plain.ready.Len() > 0 {
		groups = append(groups, q.plain)
	}
	for _, g := range q.groups {
		if g.filed != nil {
			groups = append(groups, g)
		}
	}
	served := func(g *group) int {
		if len(g.tags) > 0 && !x.isServed(g) {
			return 0
		}
		return 1
	}
	for _, g := range groups {
		at, _ := slices.BinarySearchFunc(worst, g, func(a, b *group) int {
			i, _ := a.ready.Min()
			j, _ := b.ready.Min()
			return cmp.Or(cmp.Compare(served(a), served(b)), -cmp.Compare(i.priority, j.priority), strings.Compare(i.id, j.id))
		})
		if at < maxNamedGroups {
			worst = slices.Insert(worst, at, g)
			worst = worst[:min(len(worst), maxNamedGroups)]
		}
	}
	return worst, len(groups)
}

func countJobs(n int) string {
	if n == 1 {
		return "1 job"
	}
	return fmt.Sprintf("%d jobs", n)
}
