package joblog

import (
	"github.com/tidwall/btree"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// assembly puts the chunks of a log in order. Of a chunk that came early, after
// a gap, it keeps only the position, and the caller reads it again when it is due,
// so that a gap does not fill the memory.
type assembly struct {
	// next is the offset of the next byte.
	next uint64
	// early are the chunks after a gap, by offset.
	early btree.Map[uint64, earlyChunk]
}

type earlyChunk struct {
	position, end uint64
}

// add takes a chunk as it arrived. It returns the part that continues the log,
// and reports false if the chunk is early or known.
func (a *assembly) add(c store.Chunk) (store.Chunk, bool) {
	if c.End() <= a.next {
		return store.Chunk{}, false
	}
	if c.Offset > a.next {
		if known, ok := a.early.Get(c.Offset); !ok || known.end < c.End() {
			a.early.Set(c.Offset, earlyChunk{c.Position, c.End()})
		}
		return store.Chunk{}, false
	}
	c, _ = a.advance(c)
	return c, true
}

// due returns the position of an early chunk that continues the log. With skip it
// returns that of the first early chunk, whatever is missing before it.
func (a *assembly) due(skip bool) (position uint64, ok bool) {
	for {
		offset, chunk, ok := a.early.Min()
		if !ok || offset > a.next && !skip {
			return 0, false
		}
		a.early.Delete(offset)
		if chunk.end > a.next {
			return chunk.position, true
		}
	}
}

// advance continues the log with a chunk. It returns the part of the chunk that is
// new, and how many bytes are missing before it.
func (a *assembly) advance(c store.Chunk) (_ store.Chunk, missing uint64) {
	if c.Offset > a.next {
		missing = c.Offset - a.next
	} else {
		c.Data = c.Data[a.next-c.Offset:]
		c.Offset = a.next
	}
	a.next = c.End()
	return c, missing
}

// hasGap reports whether something is missing before a chunk that has arrived.
func (a *assembly) hasGap() bool { return a.early.Len() > 0 }
