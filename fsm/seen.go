package fsm

import "slices"

// SeenSize is how many started jobs a worker remembers: more than can ever be
// on offer to it at once, so that none is started twice.
const SeenSize = 256

// Seen remembers the ids of the last jobs that were started. The zero value
// remembers none. It is a value: what one copy learns, no other knows. That a
// job's start makes a copy of the ids costs nothing beside the job, and lets
// facts be kept, compared and logged as they were.
type Seen struct {
	ids []JobID // at most SeenSize, oldest first, shared by copies and never written
}

// SeenOf returns a memory of the ids, as if they had been started in this order.
func SeenOf(ids ...JobID) Seen {
	var s Seen
	for _, id := range ids {
		s.add(id)
	}
	return s
}

// Has tells whether the id is remembered.
func (s *Seen) Has(id JobID) bool {
	return slices.Contains(s.ids, id)
}

// Len returns the number of ids remembered.
func (s *Seen) Len() int { return len(s.ids) }

// IDs returns the ids, oldest first, in a slice of the caller's own.
func (s *Seen) IDs() []JobID { return slices.Clone(s.ids) }

// add remembers the id, and forgets the oldest one if there are too many.
func (s *Seen) add(id JobID) {
	kept := s.ids[max(0, len(s.ids)+1-SeenSize):]
	s.ids = append(slices.Clip(kept), id)
}

// remove forgets the id, if it is remembered.
func (s *Seen) remove(id JobID) { s.ids = without(s.ids, id) }
