package fsm

import "slices"

// SeenSize is how many started jobs a worker remembers: more than can ever be
// on offer to it at once, so that none is started twice.
const SeenSize = 256

// Seen remembers the ids of the last jobs that were started. The zero value
// remembers none. A copy shares its memory with the original: see Clone.
type Seen struct {
	ids []JobID // at most SeenSize; oldest first from next, once full
	at  int     // where the next id goes, once full
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
func (s *Seen) Len() int {
	n := 0
	for _, id := range s.ids {
		if id != "" {
			n++
		}
	}
	return n
}

// IDs returns the ids in no particular order, in a slice of the caller's own.
func (s *Seen) IDs() []JobID {
	ids := make([]JobID, 0, len(s.ids))
	for _, id := range s.ids {
		if id != "" {
			ids = append(ids, id)
		}
	}
	return ids
}

// Clone returns an independent copy.
func (s *Seen) Clone() Seen {
	return Seen{ids: append([]JobID(nil), s.ids...), at: s.at}
}

// add remembers the id, and forgets the oldest one if there are too many.
func (s *Seen) add(id JobID) {
	if s.ids == nil {
		s.ids = make([]JobID, 0, SeenSize)
	}
	if len(s.ids) < SeenSize {
		s.ids = append(s.ids, id)
		return
	}
	s.ids[s.at] = id
	s.at = (s.at + 1) % SeenSize
}

// remove forgets the id; its place stays empty until the ring comes round.
func (s *Seen) remove(id JobID) {
	for i, known := range s.ids {
		if known == id {
			s.ids[i] = ""
		}
	}
}
