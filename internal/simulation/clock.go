package simulation

import (
	"container/heap"
	"time"
)

// clock is virtual time: it calls functions in the order of their moments. Functions of
// one moment are called in the order in which they were added.
type clock struct {
	now   time.Time
	begin time.Time
	next  moments
	count int
}

func newClock() *clock {
	begin := time.Unix(0, 0)
	return &clock{now: begin, begin: begin}
}

// at has a function called at a moment, which is not before the present one.
func (c *clock) at(when time.Time, do func()) {
	c.count++
	heap.Push(&c.next, moment{when, c.count, do})
}

// after has a function called after a time.
func (c *clock) after(d time.Duration, do func()) { c.at(c.now.Add(d), do) }

// since returns how long the simulation has lasted.
func (c *clock) since() time.Duration { return c.now.Sub(c.begin) }

// runUntil calls what is due until a time since the begin.
func (c *clock) runUntil(end time.Duration) {
	last := c.begin.Add(end)
	for len(c.next) > 0 && !c.next[0].at.After(last) {
		m := heap.Pop(&c.next).(moment) //nolint:forcetypeassert // only moments are pushed
		c.now = m.at
		m.do()
	}
	c.now = last
}

// moment is a function, and when it is called.
type moment struct {
	at    time.Time
	order int
	do    func()
}

// moments is a heap, with the next one at the top.
type moments []moment

func (m *moments) Len() int      { return len(*m) }
func (m *moments) Swap(i, j int) { (*m)[i], (*m)[j] = (*m)[j], (*m)[i] }
func (m *moments) Less(i, j int) bool {
	a, b := (*m)[i], (*m)[j]
	if a.at.Equal(b.at) {
		return a.order < b.order
	}
	return a.at.Before(b.at)
}

// Push and Pop implement heap.Interface.
func (m *moments) Push(x any) { *m = append(*m, x.(moment)) } //nolint:forcetypeassert // only moments are pushed

func (m *moments) Pop() any {
	last := (*m)[len(*m)-1]
	*m = (*m)[:len(*m)-1]
	return last
}
