package schedule

import "github.com/tidwall/btree"

// maxChecks bounds how many groups one call of Stats or Tidy looks at, to find those that no
// worker can serve any more, or that one can. Each takes a few microseconds.
const maxChecks = 1000

// ranked returns the groups with ready jobs among which the group is: those that no
// connected worker can serve, or the others.
func (q *queueEntry) ranked(g *group) *btree.BTreeG[*group] {
	if g.unserved {
		return q.unserved
	}
	return q.served
}

// checkUnserved looks at up to checks groups with ready jobs which were not looked at since a
// worker has connected or left, and returns how many more it could look at. If there are many,
// the next call goes on with others.
func (q *queueEntry) checkUnserved(checks int) int {
	if q.checked == q.version {
		return checks
	}
	for range q.waiting {
		if checks == 0 {
			return 0
		}
		if q.next >= len(q.waiting) {
			q.next = 0
		}
		g := q.waiting[q.next]
		q.next++
		if g.checked != q.version {
			checks--
			g.check()
		}
	}
	q.checked = q.version
	return checks
}

// check finds out whether a worker can serve a group with ready jobs.
func (g *group) check() {
	q := g.queue
	g.checked = q.version
	if unserved := !g.isServed(); unserved != g.unserved {
		q.ranked(g).Delete(g)
		g.unserved = unserved
		q.ranked(g).Set(g)
		if unserved {
			q.unmatched += g.ready.Len()
		} else {
			q.unmatched -= g.ready.Len()
		}
	}
}
