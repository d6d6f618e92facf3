package schedule

import (
	"container/heap"
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
// A group with ready jobs is filed under the one of its tags that the fewest workers have.
// A worker that becomes idle, or polls, looks at the groups under its own tags, and so at
// few of those that it cannot serve: those it files under a tag that it does not have, if
// far fewer workers have that now. While a group has ready jobs no idle worker has its
// tags, except between a change and the next Match.
type group struct {
	queue *queueEntry
	// required is what its jobs require, sorted; empty for the group of all other jobs,
	// which is not filed.
	required []string
	tags     []*tagEntry
	ready    *btree.BTreeG[*jobEntry]
	filed    *tagEntry // nil if it has no ready jobs
	live     int       // live jobs, in any state
	// unused is when Tidy first saw that it has no jobs.
	unused time.Time
	// crowd is what was last counted of its workers.
	crowd crowd
	// server is the worker that isServed has found last, and unserved the connections of the
	// queue at which it has found none.
	server   *workerEntry
	unserved uint64
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
		for _, tag := range g.required {
			t := q.tag(requiredKey(tag))
			t.require()
			g.tags = append(g.tags, t)
		}
		q.groups[key] = g
	}
	g.unused = time.Time{}
	return g
}

// groupSeparator separates the tags in the key of a group. No tag has a comma.
const groupSeparator = ","

// groupKey returns the key of a group.
func groupKey(required []string) string { return strings.Join(required, groupSeparator) }

// tidyGroups drops groups that have had no job for a while.
func (q *queueEntry) tidyGroups(now time.Time) {
	for key, g := range q.groups {
		switch {
		case g.live > 0:
		case g.unused.IsZero():
			g.unused = now
		case now.Sub(g.unused) >= groupAge:
			delete(q.groups, key)
			delete(q.woken, g)
			for _, t := range g.tags {
				t.release()
				q.dropIfUnused(t)
			}
		}
	}
}

// add puts a job among the ready ones.
func (g *group) add(j *jobEntry) {
	g.ready.Set(j)
	if len(g.tags) == 0 || g.filed != nil {
		return
	}
	g.file(g.rarest())
	g.queue.filed++
}

// file files the group under a tag.
func (g *group) file(t *tagEntry) {
	if g.filed != nil {
		delete(g.filed.ready, g)
	}
	g.filed = t
	if t.ready == nil {
		t.ready = map[*group]struct{}{}
	}
	t.ready[g] = struct{}{}
}

// refile files a group under a tag that a worker lacks which has looked at it in vain. More
// workers have come since it was filed, as all have after a restart with queued jobs. At most
// half as many workers look at it then, so it is moved a few times only.
func (g *group) refile(lacks *tagEntry) {
	if 2*len(lacks.workers) <= len(g.filed.workers) {
		g.file(lacks)
	}
}

// remove removes a job from the ready ones, if it is one.
func (g *group) remove(j *jobEntry) {
	g.ready.Delete(j)
	if g.filed != nil && g.ready.Len() == 0 {
		delete(g.filed.ready, g)
		g.filed = nil
		g.queue.filed--
	}
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

// bestIdle returns the best idle worker that has the tags of the group, or nil. It looks
// at the idle workers that have the tag which the fewest of them have, unless no worker has all.
func (x *Index) bestIdle(g *group) (best *workerEntry) {
	idle := g.queue.idle
	if len(g.tags) > 1 && !x.isServed(g) {
		return nil
	}
	for _, t := range g.tags {
		if t.idle == nil {
			return nil
		}
		if t.idle.Len() < idle.Len() {
			idle = t.idle
		}
	}
	idle.Scan(func(w *workerEntry) bool {
		if w.serves(g) {
			best = w
		}
		return best == nil
	})
	return best
}

// bestReady returns the best ready job that a worker can be given, or nil.
func (w *workerEntry) bestReady() *jobEntry {
	best, _ := w.queue.plain.ready.Min()
	if w.queue.filed == 0 {
		return best
	}
	for _, t := range w.tags {
		for g := range t.ready {
			j, _ := g.ready.Min()
			if best != nil && !readyBefore(j, best) {
				continue
			}
			if lacks := w.lacks(g); lacks != nil {
				g.refile(lacks)
			} else {
				best = j
			}
		}
	}
	return best
}

// wake notes the groups that a worker can serve which has become idle.
func (x *Index) wake(w *workerEntry) {
	q := w.queue
	x.changed[q] = struct{}{}
	if q.filed == 0 {
		return
	}
	for _, t := range w.tags {
		for g := range t.ready {
			if lacks := w.lacks(g); lacks != nil {
				g.refile(lacks)
			} else {
				q.woken[g] = struct{}{}
			}
		}
	}
}

// matchQueue claims an idle worker for each ready job of a queue, the best job first, as
// long as there is one that has the tags of the job, and adds the claims.
func (x *Index) matchQueue(q *queueEntry, claims []*Claim) []*Claim {
	if len(q.woken) == 0 { // the most frequent case, without what the other one allocates
		for q.idle.Len() > 0 && q.plain.ready.Len() > 0 {
			j, _ := q.plain.ready.Min()
			w, _ := q.idle.Min()
			claims = append(claims, x.claim(j, w))
		}
		return claims
	}
	groups := &heads{}
	if q.plain.ready.Len() > 0 {
		groups.all = append(groups.all, q.plain)
	}
	for g := range q.woken {
		if q.idle.Len() == 0 {
			break // as while the records are read after a restart
		}
		if g.ready.Len() > 0 && x.bestIdle(g) != nil {
			groups.all = append(groups.all, g)
		}
	}
	q.woken = map[*group]struct{}{}
	heap.Init(groups)
	for len(groups.all) > 0 && q.idle.Len() > 0 {
		g := groups.all[0]
		if w := x.bestIdle(g); w != nil {
			j, _ := g.ready.Min()
			claims = append(claims, x.claim(j, w))
			if g.ready.Len() > 0 {
				heap.Fix(groups, 0)
				continue
			}
		}
		heap.Pop(groups)
	}
	return claims
}

// heads is a heap of groups with ready jobs, that with the best one at the top.
type heads struct{ all []*group }

func (h *heads) Len() int { return len(h.all) }
func (h *heads) Less(i, j int) bool {
	a, _ := h.all[i].ready.Min()
	b, _ := h.all[j].ready.Min()
	return readyBefore(a, b)
}
func (h *heads) Swap(i, j int) { h.all[i], h.all[j] = h.all[j], h.all[i] }
func (h *heads) Push(g any)    { h.all = append(h.all, g.(*group)) } //nolint:forcetypeassert // only groups are pushed
func (h *heads) Pop() any {
	last := h.all[len(h.all)-1]
	h.all = h.all[:len(h.all)-1]
	return last
}
