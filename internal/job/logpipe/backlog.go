package logpipe

import "github.com/switchyard-ci/switchyard/internal/job/spool"

const (
	// maxMemory bounds the chunks kept in memory besides the one being filled, in
	// bytes. Further chunks are only in the spool.
	maxMemory    = 4 << 20
	minSpoolCost = 4 << 10 // bytes that a chunk counts in the spool at least
	// resumeShare is the part of a bound, as a divisor, that must be free before
	// output is accepted again after a gap: one large gap is better than many small
	// ones.
	resumeShare = 8
)

// chunk is a chunk that is complete.
type chunk struct {
	spool.Chunk

	data    []byte // nil: only in the spool
	spooled bool
}

// spoolCost returns what the chunk counts in the spool, in bytes.
func (c chunk) spoolCost() int64 { return max(int64(c.Size), minSpoolCost) } //nolint:gosec // a chunk is small

// backlog holds complete chunks that are not uploaded yet, and accounts for the
// memory and the spool that they use. It is not safe for concurrent use; the queue's
// lock guards it.
type backlog struct {
	entry     *spool.Entry // nil: memory only
	spoolSize int64        // bound of the spool, in bytes

	waiting   []chunk // in order
	postponed []chunk // failed once; tried again at the end
	retrying  bool

	memoryUsed, spoolUsed int64
	spoolErr              error // of the last write to the spool
}

// add adds a chunk. If the chunk is only kept in the spool, it returns the buffer for
// reuse, or else nil.
func (b *backlog) add(place spool.Chunk, data []byte, spooled bool) (free []byte) {
	c := chunk{Chunk: place, spooled: spooled}
	if spooled {
		b.spoolUsed += c.spoolCost()
	}
	if !spooled || b.memoryUsed+int64(cap(data)) <= maxMemory {
		c.data = data
		b.memoryUsed += int64(cap(data))
	} else {
		free = data[:0]
	}
	b.waiting = append(b.waiting, c)
	return free
}

// next removes the first waiting chunk.
func (b *backlog) next() (chunk, bool) {
	if len(b.waiting) == 0 {
		return chunk{}, false
	}
	c := b.waiting[0]
	b.waiting = b.waiting[1:]
	return c, true
}

// remove frees what a chunk used. With discard it removes the chunk from the spool;
// otherwise it stays there for another process. It reports whether the chunk stays
// in the spool.
func (b *backlog) remove(c chunk, discard bool) bool {
	b.memoryUsed -= int64(cap(c.data))
	if !c.spooled || !discard {
		return c.spooled
	}
	b.spoolUsed -= c.spoolCost()
	b.entry.Discard(c.Chunk)
	return false
}

// discard removes every chunk that is not being uploaded.
func (b *backlog) discard() {
	for _, c := range append(b.waiting, b.postponed...) {
		b.remove(c, true)
	}
	b.waiting, b.postponed = nil, nil
}

// postpone keeps a chunk that failed for the second try, in the spool. It reports
// false if the chunk is not in the spool, or if this was the second try.
func (b *backlog) postpone(c chunk) bool {
	if !c.spooled || b.retrying {
		return false
	}
	b.memoryUsed -= int64(cap(c.data))
	c.data = nil
	b.postponed = append(b.postponed, c)
	return true
}

// retry begins the second try. It reports whether there is anything to try.
func (b *backlog) retry() bool {
	if b.retrying || len(b.postponed) == 0 {
		return false
	}
	b.retrying = true
	b.waiting, b.postponed = b.postponed, nil
	return true
}

// hasRoom reports whether a chunk of size bytes has room.
func (b *backlog) hasRoom(size int) bool {
	return b.hasMemoryRoom(size) || b.spoolErr == nil && b.hasSpoolRoom(size)
}

// hasRoomAfterGap reports whether output is accepted again after a gap.
func (b *backlog) hasRoomAfterGap(size int) bool {
	return b.hasMemoryRoom(size+maxMemory/resumeShare) || b.spoolErr == nil && b.hasSpoolRoom(size+int(b.spoolSize/resumeShare))
}

func (b *backlog) hasMemoryRoom(size int) bool { return b.memoryUsed+int64(size) <= maxMemory }

func (b *backlog) hasSpoolRoom(size int) bool {
	return b.entry != nil && b.spoolUsed+int64(max(size, minSpoolCost)) <= b.spoolSize
}
