package schedule

import (
	"container/heap"
	"sort"

	"github.com/google/uuid"
	"github.com/tidwall/btree"
)

// walk calls visit with the jobs after the cursor of a list, in its order, and
// whether the list has them, until visit returns false.
func (h *history) walk(l *JobList, visit func(id uuid.UUID, match bool) bool) {
	if !l.scans() {
		h.merge(l, func(id uuid.UUID) bool { return visit(id, true) })
		return
	}
	each := func(p pastJob) bool {
		if !l.contains(p.id) {
			return !l.passed(p.id)
		}
		return visit(p.id, h.matches(l, p))
	}
	if l.oldestFirst {
		h.jobs.Ascend(pastJob{id: l.first()}, each)
	} else {
		h.jobs.Descend(pastJob{id: l.first()}, each)
	}
}

// matches reports whether a list has a job, as the index knows it.
func (h *history) matches(l *JobList, p pastJob) bool {
	return l.selects(h.classes.values[p.class]) && (l.worker == uuid.Nil || h.workers.values[p.worker] == l.worker)
}

// first returns the ID at which a walk begins; it may be one that the list does not
// contain.
func (l *JobList) first() uuid.UUID {
	switch {
	case l.oldestFirst && before(l.cursor, l.low):
		return l.low
	case l.oldestFirst, l.cursor != uuid.Nil && before(l.cursor, l.high):
		return l.cursor
	}
	return l.high
}

// contains reports whether an ID is in the times of a list, and after its cursor.
func (l *JobList) contains(id uuid.UUID) bool {
	if before(id, l.low) || !before(id, l.high) {
		return false
	}
	return l.cursor == uuid.Nil || l.comesBefore(l.cursor, id)
}

// passed reports whether an ID is after the last one that a list may contain.
func (l *JobList) passed(id uuid.UUID) bool {
	if l.oldestFirst {
		return !before(id, l.high)
	}
	return before(id, l.low)
}

// comesBefore reports whether an ID is listed before another one.
func (l *JobList) comesBefore(a, b uuid.UUID) bool {
	if l.oldestFirst {
		return before(a, b)
	}
	return before(b, a)
}

// merge calls visit with the jobs of the classes that a list selects: of those after
// its cursor, in its order.
func (h *history) merge(l *JobList, visit func(uuid.UUID) bool) {
	sources := &sources{list: l}
	for key, number := range h.classes.byValue {
		if !l.selects(key) {
			continue
		}
		if s := (&source{iter: h.ids[number].Iter()}); s.seek(l) {
			sources.all = append(sources.all, s)
		}
	}
	heap.Init(sources)
	for len(sources.all) > 0 {
		s := sources.all[0]
		if !visit(s.id) {
			return
		}
		if s.step(l) {
			heap.Fix(sources, 0)
		} else {
			heap.Pop(sources)
		}
	}
}

// source is the jobs of one class, at the next one to visit. It must not be copied,
// since its iterator refers to itself.
type source struct {
	iter btree.IterG[uuid.UUID]
	id   uuid.UUID
}

// seek goes to the first job that a list contains. It reports false if there is none.
func (s *source) seek(l *JobList) bool {
	found := s.iter.Seek(l.first()) // the first that is not older
	switch {
	case l.oldestFirst:
	case found:
		found = s.iter.Prev()
	default:
		found = s.iter.Last()
	}
	for ; found; found = s.move(l) {
		if s.id = s.iter.Item(); l.contains(s.id) {
			return true
		}
		if l.passed(s.id) {
			return false
		}
	}
	return false
}

// step goes to the next job. It reports false at the end.
func (s *source) step(l *JobList) bool {
	if !s.move(l) {
		return false
	}
	s.id = s.iter.Item()
	return !l.passed(s.id)
}

func (s *source) move(l *JobList) bool {
	if l.oldestFirst {
		return s.iter.Next()
	}
	return s.iter.Prev()
}

// sources is a heap, with the job that a list has next at the top.
type sources struct {
	list *JobList
	all  []*source
}

func (s *sources) Len() int           { return len(s.all) }
func (s *sources) Less(i, j int) bool { return s.list.comesBefore(s.all[i].id, s.all[j].id) }
func (s *sources) Swap(i, j int)      { s.all[i], s.all[j] = s.all[j], s.all[i] }
func (s *sources) Push(x any)         { s.all = append(s.all, x.(*source)) } //nolint:forcetypeassert // only sources are pushed
func (s *sources) Pop() any {
	last := s.all[len(s.all)-1]
	s.all = s.all[:len(s.all)-1]
	return last
}

// countClasses returns how many jobs there are in the classes that a list selects.
func (h *history) countClasses(l *JobList) (n int) {
	for key, number := range h.classes.byValue {
		if l.selects(key) {
			ids := h.ids[number]
			n += max(0, rank(ids, l.high)-rank(ids, l.low)) // high can be before low
		}
	}
	return n
}

// rank returns how many IDs are older than another one.
func rank(ids *btree.BTreeG[uuid.UUID], id uuid.UUID) int {
	if id == uuid.Nil {
		return 0
	}
	if newest, ok := ids.Max(); !ok || before(newest, id) {
		return ids.Len()
	}
	return sort.Search(ids.Len(), func(i int) bool {
		other, _ := ids.GetAt(i)
		return !before(other, id)
	})
}

// countScanned counts the jobs of a list among up to steps jobs from an ID on, and
// returns where to continue, the zero ID at the end.
func (h *history) countScanned(l *JobList, from uuid.UUID, steps int) (n int, next uuid.UUID) {
	if before(from, l.low) {
		from = l.low
	}
	h.jobs.Ascend(pastJob{id: from}, func(p pastJob) bool {
		if !before(p.id, l.high) {
			return false
		}
		if steps == 0 {
			next = p.id
			return false
		}
		steps--
		if h.matches(l, p) {
			n++
		}
		return true
	})
	return n, next
}
