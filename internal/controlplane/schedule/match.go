package schedule

import (
	"container/heap"
)

// bestIdle returns the best idle worker that has the tags of the group, or nil.
func (x *Index) bestIdle(g *group) (best *workerEntry) {
	q := g.queue
	idle := q.idle
	for _, t := range g.tags {
		if t.idle == nil {
			return nil
		}
		if t.idle.Len() < idle.Len() {
			idle = t.idle
		}
	}
	if idle.Len() > q.fewWorkers && len(g.tags) > 1 && !g.hasAny(q.idleMembers) {
		return nil
	}
	looked := 0
	idle.Scan(func(w *workerEntry) bool {
		if w.serves(g) {
			best = w
		}
		looked++
		return best == nil && looked < q.fewWorkers
	})
	if best != nil || looked == idle.Len() {
		return best
	}
	g.among(q.idleMembers, func(i int, found uint64) bool {
		q.numbered(i, found, func(w *workerEntry) {
			if best == nil || idleBefore(w, best) {
				best = w
			}
		})
		return true
	})
	return best
}

// bestReady returns the best ready job that a worker can be given, or nil.
func (w *workerEntry) bestReady() *jobEntry {
	best, _ := w.queue.plain.ready.Min()
	if len(w.queue.waiting) == 0 {
		return best
	}
	for _, t := range w.tags {
		if t.filed != nil {
			best = t.filed.best(w, best)
		}
	}
	return best
}

// wake notes that a worker has become idle, for the next Match.
func (x *Index) wake(w *workerEntry) {
	x.changed[w.queue] = struct{}{}
	if len(w.queue.waiting) > 0 {
		w.queue.awake[w] = struct{}{}
	}
}

// fewAwake is how many workers that have become idle look for their best jobs. For more,
// all groups are looked at.
const fewAwake = 32

// awakened is a worker that has become idle, and the best job that it can be given once it
// has looked.
type awakened struct {
	worker *workerEntry
	looked bool
	best   *jobEntry
}

// matchQueue claims an idle worker for each ready job of a queue, the best job first, as
// long as there is one that has the tags of the job, and adds the claims.
func (x *Index) matchQueue(q *queueEntry, claims []*Claim) []*Claim {
	if len(q.woken) == 0 && len(q.awake) == 0 { // the most frequent case, without what the other one allocates
		for q.idle.Len() > 0 && q.plain.ready.Len() > 0 {
			w, _ := q.idle.Min()
			claims = append(claims, x.claim(q.plain.best, w))
		}
		return claims
	}
	x.matching++
	groups, awake := x.toMatch(q)
	for q.idle.Len() > 0 {
		j := groups.best()
		for i := range awake {
			if best := awake[i].job(); j == nil || best != nil && readyBefore(best, j) {
				j = best
			}
		}
		if j == nil {
			break
		}
		w := x.idleFor(j.group)
		if w != nil {
			claims = append(claims, x.claim(j, w))
		}
		groups.next(j.group, w != nil)
	}
	return claims
}

// toMatch returns what the next Match looks at: the groups with ready jobs, of which some are
// new, and the workers that have become idle, or instead of these all groups if they are many.
func (x *Index) toMatch(q *queueEntry) (groups *heads, awake []awakened) {
	groups = &heads{}
	if q.plain.best != nil {
		groups.all = append(groups.all, q.plain)
	}
	switch {
	case q.idle.Len() == 0: // as while the records are read after a restart
	case len(q.awake) > fewAwake:
		groups.all = append(groups.all, q.waiting...)
	default:
		for w := range q.awake {
			awake = append(awake, awakened{worker: w})
		}
		for g := range q.woken {
			if g.best != nil {
				groups.all = append(groups.all, g)
			}
		}
	}
	q.woken, q.awake = map[*group]struct{}{}, map[*workerEntry]struct{}{}
	heap.Init(groups)
	return groups, awake
}

// job returns the best job that the worker can be given now, or nil.
func (a *awakened) job() *jobEntry {
	if a.worker.idleRank == 0 {
		return nil
	}
	if !a.looked || a.best != nil && a.best.claim != nil {
		a.looked, a.best = true, a.worker.bestReady()
	}
	return a.best
}

// fewGroups is up to how many groups at a place are looked at one by one.
const fewGroups = 8

// idleFor is bestIdle for the groups of one matching, in which workers only cease to be idle.
func (x *Index) idleFor(g *group) *workerEntry {
	p := g.filed
	if p != nil && p.exhausted == x.matching {
		return nil
	}
	w := x.bestIdle(g)
	if w == nil && p != nil && p.groups.Len() > fewGroups && !p.hasIdle() {
		p.exhausted = x.matching
	}
	return w
}

// heads is a heap of groups with ready jobs, that with the best one at the top.
type heads struct{ all []*group }

// best returns the best job; nil if there is no group.
func (h *heads) best() *jobEntry {
	if len(h.all) == 0 {
		return nil
	}
	return h.all[0].best
}

// next sorts the heap after the best job of a group was claimed, or could not be. If the group
// is in the heap, it is the first.
func (h *heads) next(g *group, claimed bool) {
	switch {
	case len(h.all) == 0 || h.all[0] != g:
	case claimed && g.best != nil:
		heap.Fix(h, 0)
	default:
		heap.Pop(h)
	}
}

func (h *heads) Len() int           { return len(h.all) }
func (h *heads) Less(i, j int) bool { return groupBefore(h.all[i], h.all[j]) }
func (h *heads) Swap(i, j int)      { h.all[i], h.all[j] = h.all[j], h.all[i] }
func (h *heads) Push(g any)         { h.all = append(h.all, g.(*group)) } //nolint:forcetypeassert // only groups are pushed
func (h *heads) Pop() any {
	last := h.all[len(h.all)-1]
	h.all = h.all[:len(h.all)-1]
	return last
}
