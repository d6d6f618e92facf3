package schedule

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/btree"
)

// groupAge is for how long a group without jobs is kept: to sort the idle workers again for
// each of several jobs in a row would take longer.
const groupAge = time.Minute

// group is the jobs of a queue that require the same tags of their worker. A job waits for
// a worker that has them, and not for the jobs of other groups before it.
//
// A group with ready jobs is filed (filing.go), so that a worker finds it. While a group has
// ready jobs no idle worker has its tags, except between a change and the next Match.
type group struct {
	queue *queueEntry
	// required is what its jobs require, sorted; empty for the group of all other jobs,
	// which is not filed.
	required []string
	tags     []*tagEntry
	ready    *btree.BTreeG[*jobEntry]
	// best is the first of the ready jobs, by which groups are sorted, and filed is where this
	// one is; nil if there are none.
	best  *jobEntry
	filed *place
	live  int // live jobs, in any state
	// size is about what it takes, in bytes.
	size int
	// unused is when Tidy first saw that it has no jobs.
	unused time.Time
	// unserved is set if no connected worker had its tags when that was last looked at, at
	// the version checked of the queue. waiting is its place in queueEntry.waiting.
	unserved bool
	checked  uint64
	waiting  int
}

func newGroup(q *queueEntry, required []string) *group {
	return &group{queue: q, required: required, ready: btree.NewBTreeGOptions(readyBefore, btree.Options{NoLocks: true})}
}

// group returns the group of the jobs of a queue that require tags, which are in order and
// each once; a new one if there is none.
func (x *Index) group(queue string, required []string) *group {
	q := x.queue(queue)
	if len(required) == 0 {
		return q.plain
	}
	key := groupKey(required)
	g := q.groups[key]
	if g == nil {
		g = newGroup(q, strings.Split(key, groupSeparator)) // the text is in memory once
		g.size = groupSize(required)
		x.makeRoom(g.size)
		for _, tag := range g.required {
			t := q.tag(requiredKey(tag))
			t.require()
			g.tags = append(g.tags, t)
		}
		q.groups[key] = g
		x.groupBytes += g.size
		x.unused[g] = struct{}{}
	}
	g.unused = time.Time{}
	return g
}

// groupSeparator separates the tags in the key of a group. No tag has a comma.
const groupSeparator = ","

// groupKey returns the key of a group.
func groupKey(required []string) string { return strings.Join(required, groupSeparator) }

// enter counts a live job of a group.
func (x *Index) enter(g *group) {
	g.live++
	g.queue.live++
	if g.live == 1 && len(g.tags) > 0 {
		delete(x.unused, g)
		x.countUsed(g, 1)
	}
}

// leave undoes enter.
func (x *Index) leave(g *group) {
	g.live--
	g.queue.live--
	if g.live == 0 && len(g.tags) > 0 {
		x.unused[g] = struct{}{}
		x.countUsed(g, -1)
	}
	x.dropIfUnused(g.queue)
}

// countUsed counts a group that has its first live job, or has lost its last one.
func (x *Index) countUsed(g *group, more int) {
	x.usedSets += more
	x.usedBytes += more * g.size
	g.queue.usedSets += more
	g.queue.usedBytes += more * g.size
}

// tidyGroups drops groups that have had no job for a while.
func (x *Index) tidyGroups(now time.Time) {
	for g := range x.unused {
		switch {
		case g.unused.IsZero():
			g.unused = now
		case now.Sub(g.unused) >= groupAge:
			x.dropGroup(g)
		}
	}
}

// dropGroup drops a group without jobs.
func (x *Index) dropGroup(g *group) {
	q := g.queue
	delete(x.unused, g)
	delete(q.groups, groupKey(g.required))
	delete(q.woken, g)
	x.groupBytes -= g.size
	for _, t := range g.tags {
		t.release()
		q.dropIfUnused(t)
	}
}

// add puts a job among the ready ones.
func (g *group) add(j *jobEntry) {
	if _, known := g.ready.Set(j); !known {
		g.sort(1)
	}
}

// remove removes a job from the ready ones, if it is one.
func (g *group) remove(j *jobEntry) {
	if _, known := g.ready.Delete(j); known {
		g.sort(-1)
	}
}

// sort sorts the group again, among those with ready jobs, after it has some more or less.
func (g *group) sort(more int) {
	q := g.queue
	best, _ := g.ready.Min()
	if len(g.tags) == 0 {
		g.best = best
		return
	}
	if g.unserved {
		q.unmatched += more
	}
	if best == g.best {
		return
	}
	p := g.filed
	switch {
	case g.best == nil:
		g.checked, g.unserved = q.version, !g.isServed()
		if g.unserved {
			q.unmatched += more
		}
		g.waiting = len(q.waiting)
		q.waiting = append(q.waiting, g)
		p = g.choosePlace()
	case best == nil:
		q.ranked(g).Delete(g)
		p.remove(g)
		last := len(q.waiting) - 1
		q.waiting[g.waiting] = q.waiting[last]
		q.waiting[g.waiting].waiting = g.waiting
		q.waiting[last] = nil
		q.waiting = q.waiting[:last]
		g.best, g.filed, g.unserved = nil, nil, false
		return
	default:
		q.ranked(g).Delete(g)
		p.groups.Delete(g)
	}
	g.best = best
	q.ranked(g).Set(g)
	p.add(g)
}

// serves reports whether a worker of the queue has the tags of the group.
func (w *workerEntry) serves(g *group) bool { return w.lacks(g) == nil }

// lacks returns a tag of the group that a worker of the queue does not have, or nil.
func (w *workerEntry) lacks(g *group) *tagEntry {
	for _, t := range g.tags {
		if !w.has(t) {
			return t
		}
	}
	return nil
}

// rarest returns the tag of the group that the fewest workers have.
func (g *group) rarest() *tagEntry { return slices.MinFunc(g.tags, byWorkers) }

// byWorkers orders tags by how many workers have them.
func byWorkers(a, b *tagEntry) int { return cmp.Compare(len(a.workers), len(b.workers)) }
