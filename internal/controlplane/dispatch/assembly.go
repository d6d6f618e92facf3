package dispatch

import (
	"github.com/tidwall/btree"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// assembly puts the pieces of a log in order. Pieces come as they were stored:
// some early, some twice. One that came early is remembered by its place only,
// and read again when its turn has come, so that a gap does not fill the memory.
type assembly struct {
	// next is the offset that comes next.
	next uint64
	// early are the pieces after a gap, by offset.
	early btree.Map[uint64, earlyPiece]
}

type earlyPiece struct {
	position, end uint64
}

// add takes a piece, and gives it back as it fits, or nothing if it is early, or
// known.
func (s *assembly) add(c store.Chunk) (LogPiece, bool) {
	if c.End() <= s.next {
		return LogPiece{}, false
	}
	if c.Offset > s.next {
		if known, ok := s.early.Get(c.Offset); !ok || known.end < c.End() {
			s.early.Set(c.Offset, earlyPiece{c.Position, c.End()})
		}
		return LogPiece{}, false
	}
	return s.give(c, 0), true
}

// due is the position of the early piece whose turn has come; skip makes it the
// turn of the first early piece whatever is missing before it.
func (s *assembly) due(skip bool) (position uint64, ok bool) {
	for {
		offset, piece, ok := s.early.Min()
		if !ok || offset > s.next && !skip {
			return 0, false
		}
		s.early.Delete(offset)
		if piece.end > s.next {
			return piece.position, true
		}
	}
}

// give makes the log go on with a piece, after what is missing before it.
func (s *assembly) give(c store.Chunk, missing uint64) LogPiece {
	data := c.Data
	offset := c.Offset
	if offset < s.next {
		data = data[s.next-offset:]
		offset = s.next
	}
	s.next = c.End()
	return LogPiece{Offset: offset, Data: data, Missing: missing, ReceivedAt: c.StoredAt}
}

// giveDue is give for a piece that was due.
func (s *assembly) giveDue(c store.Chunk) LogPiece {
	var missing uint64
	if c.Offset > s.next {
		missing = c.Offset - s.next
	}
	return s.give(c, missing)
}

// gap reports whether something is missing before a piece that has arrived.
func (s *assembly) gap() bool { return s.early.Len() > 0 }
