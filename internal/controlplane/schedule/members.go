package schedule

import (
	"math/bits"
	"slices"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// members is a set of workers of a queue: the bit of each by its number in the queue. What
// several sets have in common is found in a time that is short whatever the sets are: 64
// workers a step.
type members []uint64

const wordBits = 64

// with adds a worker and returns the set.
func (m members) with(w *workerEntry) members {
	for len(m) <= w.number/wordBits {
		m = append(m, 0)
	}
	m[w.number/wordBits] |= w.bit()
	return m
}

func (m members) remove(w *workerEntry) {
	if i := w.number / wordBits; i < len(m) {
		m[i] &^= w.bit()
	}
}

// word returns 64 bits of the set; those that it does not have are zero.
func (m members) word(i int) uint64 {
	if i < len(m) {
		return m[i]
	}
	return 0
}

// shared returns how many workers are in both sets.
func (m members) shared(other members) (n int) {
	for i := range min(len(m), len(other)) {
		n += bits.OnesCount64(m[i] & other[i])
	}
	return n
}

// keep removes the workers that are not in another set.
func (m members) keep(other members) {
	for i := range m {
		m[i] &= other.word(i)
	}
}

// bit returns the bit of the worker in its word of a set.
func (w *workerEntry) bit() uint64 { return 1 << (w.number % wordBits) }

// join adds a new worker to the queue, under a free number.
func (q *queueEntry) join(id string, w *workerEntry) {
	q.workers[id] = w
	if last := len(q.freeNumbers) - 1; last >= 0 {
		w.number = q.freeNumbers[last]
		q.freeNumbers = q.freeNumbers[:last]
		q.byNumber[w.number] = w
		return
	}
	w.number = len(q.byNumber)
	q.byNumber = append(q.byNumber, w)
}

// leave undoes join.
func (q *queueEntry) leave(id string, w *workerEntry) {
	delete(q.workers, id)
	q.byNumber[w.number] = nil
	q.freeNumbers = append(q.freeNumbers, w.number)
}

const (
	// fewWorkers is how many workers are looked at one by one. Where fewShare times as many
	// are less than the queue has, they are too: a set of them would take more memory than
	// they do.
	fewWorkers, fewShare = 64, 256
)

// few reports whether a tag is of so few workers that these are looked at one by one.
func (q *queueEntry) few(t *tagEntry) bool {
	return len(t.workers) <= max(q.fewWorkers, len(q.byNumber)/fewShare)
}

// members returns the workers that have the tag, as a set that is kept from then on as long
// as a group requires the tag.
func (t *tagEntry) members() members {
	if t.set == nil {
		for w := range t.workers {
			t.set = t.set.with(w)
		}
	}
	return t.set
}

// among calls visit with the workers of a set that have the tags of the group, until it
// returns false: the number of a word of the set, and in it the bits of up to 64 of them.
func (g *group) among(set members, visit func(i int, found uint64) bool) {
	rarest := g.rarest()
	if g.queue.few(rarest) {
		for w := range rarest.workers {
			i, bit := w.number/wordBits, w.bit()
			if set.word(i)&bit != 0 && w.serves(g) && !visit(i, bit) {
				return
			}
		}
		return
	}
	tags := append(make([]*tagEntry, 0, wire.MaxRequiredTags), g.tags...)
	slices.SortFunc(tags, byWorkers)
	words := len(set)
	for _, t := range tags {
		words = min(words, len(t.members()))
	}
	for i := range words {
		found := set[i]
		for _, t := range tags {
			if found &= t.set[i]; found == 0 {
				break
			}
		}
		if found != 0 && !visit(i, found) {
			return
		}
	}
}

// numbered calls visit with the workers of bits that among has found.
func (q *queueEntry) numbered(i int, found uint64, visit func(w *workerEntry)) {
	for ; found != 0; found &= found - 1 {
		visit(q.byNumber[i*wordBits+bits.TrailingZeros64(found)])
	}
}

// hasAny reports whether a worker of a set has the tags of the group.
func (g *group) hasAny(set members) (has bool) {
	g.among(set, func(int, uint64) bool {
		has = true
		return false
	})
	return has
}

// isServed reports whether a connected worker has the tags of the group.
func (g *group) isServed() bool { return g.hasAny(g.queue.connected) }
