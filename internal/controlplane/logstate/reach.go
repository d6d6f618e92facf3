package logstate

// Reach is how far the chunks reach of a log, or of a part of it.
type Reach struct {
	// Sequence is the highest sequence of a chunk, and End the furthest end.
	Sequence, End uint64
	// Stored is how many bytes are stored, chunks that overlap or are repeated included.
	Stored uint64
}

// With returns the reach of both.
func (r Reach) With(more Reach) Reach {
	return Reach{max(r.Sequence, more.Sequence), max(r.End, more.End), r.Stored + more.Stored}
}
