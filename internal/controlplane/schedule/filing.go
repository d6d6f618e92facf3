package schedule

import (
	"slices"

	"github.com/tidwall/btree"
)

// place is where groups with ready jobs are filed that all require some tags: those on the
// path to it. The first one is the tag of which it is the place, or of that of which it is
// part.
//
// A worker that becomes idle, or polls, looks at the places to which it has all tags, at the
// groups of each in the order of their jobs, up to the first that it can serve. One that it
// looks at in vain moves to a part of the place, for a tag that this worker lacks. So a group
// is looked at in vain once for each of its tags at most, however many workers become idle,
// and whatever workers come later find it where it is.
type place struct {
	queue  *queueEntry
	tag    *tagEntry
	parent *place // nil for that of a tag alone
	groups *btree.BTreeG[*group]
	parts  map[*tagEntry]*place
	// exhausted is the last matching that has found no idle worker for it.
	exhausted uint64
}

// groupBefore orders groups with ready jobs by the best one of each.
func groupBefore(a, b *group) bool { return readyBefore(a.best, b.best) }

func newGroups() *btree.BTreeG[*group] {
	return btree.NewBTreeGOptions(groupBefore, btree.Options{NoLocks: true})
}

// place returns the place of the tag alone.
func (q *queueEntry) place(t *tagEntry) *place {
	if t.filed == nil {
		t.filed = &place{queue: q, tag: t}
	}
	return t.filed
}

// part returns the place with one more tag.
func (p *place) part(t *tagEntry) *place {
	part := p.parts[t]
	if part == nil {
		if p.parts == nil {
			p.parts = map[*tagEntry]*place{}
		}
		part = &place{queue: p.queue, tag: t, parent: p}
		p.parts[t] = part
	}
	return part
}

func (p *place) add(g *group) {
	if p.groups == nil {
		p.groups = newGroups()
	}
	p.groups.Set(g)
	g.filed = p
}

// remove removes a group, and then the places that have become empty.
func (p *place) remove(g *group) {
	p.groups.Delete(g)
	for ; p.empty(); p = p.parent {
		if p.parent == nil {
			p.tag.filed = nil
			return
		}
		delete(p.parent.parts, p.tag)
	}
}

// empty reports whether no group is at the place or a part of it.
func (p *place) empty() bool { return (p.groups == nil || p.groups.Len() == 0) && len(p.parts) == 0 }

// refile files a group where few workers look at it now.
func (g *group) refile() {
	if before, p := g.filed, g.choosePlace(); p != before {
		p.add(g)
		before.remove(g)
	}
}

// choosePlace returns the place for a group with ready jobs: that of the tag which the fewest
// workers have, and if many have it, the part for a tag which at most half of them have too,
// and so on.
func (g *group) choosePlace() *place {
	rarest := g.rarest()
	p := g.queue.place(rarest)
	if g.queue.few(rarest) {
		return p
	}
	g.queue.scratch = append(g.queue.scratch[:0], rarest.members()...)
	have := g.queue.scratch // all tags up to p
	left := slices.DeleteFunc(slices.Clone(g.tags), func(t *tagEntry) bool { return t == rarest })
	for n := len(rarest.workers); n > g.queue.fewWorkers && len(left) > 0; {
		next, least := 0, n
		for i, t := range left {
			if m := have.shared(t.members()); m < least {
				next, least = i, m
			}
		}
		if 2*least > n {
			break
		}
		have.keep(left[next].set)
		p, n = p.part(left[next]), least
		left = slices.Delete(left, next, next+1)
	}
	return p
}

// best returns the best ready job of the groups at the place and its parts which the worker
// can be given, if that comes before another one; else the other one. The worker has the
// tags on the path to the place.
func (p *place) best(w *workerEntry, best *jobEntry) *jobEntry {
	var inVain []*group
	if p.groups != nil {
		p.groups.Scan(func(g *group) bool {
			if best != nil && !readyBefore(g.best, best) {
				return false
			}
			if w.serves(g) {
				best = g.best
				return false
			}
			inVain = append(inVain, g)
			return true
		})
	}
	for _, g := range inVain {
		p.groups.Delete(g)
		p.part(w.lacks(g)).add(g)
	}
	p.partsOf(w, func(part *place) { best = part.best(w, best) })
	return best
}

// partsOf calls visit with the parts for the tags of a worker.
func (p *place) partsOf(w *workerEntry, visit func(part *place)) {
	if len(p.parts) < len(w.tags) {
		for t, part := range p.parts {
			if w.has(t) {
				visit(part)
			}
		}
		return
	}
	for _, t := range w.tags {
		if part := p.parts[t]; part != nil {
			visit(part)
		}
	}
}

// hasIdle reports whether an idle worker has the tags on the path to the place.
func (p *place) hasIdle() (has bool) {
	q := p.queue
	path := &group{queue: q}
	for ; p != nil; p = p.parent {
		path.tags = append(path.tags, p.tag)
	}
	return path.hasAny(q.idleMembers)
}
