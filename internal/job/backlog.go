package job

import (
	"time"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

const (
	// maxMemory bounds the chunks that are kept in memory beside the one being
	// filled, in bytes. Past it they are in the spool alone.
	maxMemory = 4 << 20
	// minCost is what a piece takes on the disk at least, in bytes.
	minCost = 4 << 10
	// maxHold is how long a job is held up in all, when there is no room for
	// its output, before that is cut. It is for a control plane that is slower
	// than the job by a little; one that is away must not stop a job.
	maxHold = time.Minute
	// resumeAt is the part of a bound that must be free before output that was
	// cut is taken again: a log with one large gap reads better than one with
	// many small ones.
	resumeAt = 8
)

// chunk is one that is full, or was due.
type chunk struct {
	number, offset, size uint64
	data                 []byte // nil: only in the spool
	onDisk               bool
}

// backlog is what was written and is not delivered yet. Every byte goes to the
// spool at once, where it outlives the agent; what there is room for is kept in
// memory as well, and saves reading it back. It is guarded by its uploader's
// lock.
type backlog struct {
	entry *spool.Entry // nil: memory alone
	disk  int64        // its bound, in bytes

	queue  []chunk // they wait, in order
	aside  []chunk // they failed, and get a second try at the flush
	second bool    // it is that second try
	offset uint64  // where the last chunk of the queue ended

	memoryUsed, diskUsed int64
	diskErr              error // of the last try to write to it

	patience time.Duration // how long the job may still be held up
	gap      uint64        // bytes cut since the last that were taken
	dropped  uint64        // bytes cut in all
	gapErr   error         // why the gap began: a disk that failed, or nil for its bound
}

// add puts a chunk at the end of the queue and gives back its buffer if it is
// free.
func (b *backlog) add(number, offset uint64, data []byte, onDisk bool) (free []byte) {
	c := chunk{number: number, offset: offset, size: uint64(len(data)), onDisk: onDisk}
	b.offset = offset + c.size
	if onDisk {
		b.diskUsed += cost(c)
	}
	if !onDisk || b.memoryUsed+int64(cap(data)) <= maxMemory {
		c.data = data
		b.memoryUsed += int64(cap(data))
	} else {
		free = data[:0]
	}
	b.queue = append(b.queue, c)
	return free
}

func (b *backlog) end() uint64 { return b.offset }

// next takes the first chunk from the queue.
func (b *backlog) next() (chunk, bool) {
	if len(b.queue) == 0 {
		return chunk{}, false
	}
	c := b.queue[0]
	b.queue = b.queue[1:]
	return c, true
}

// done makes the room of a chunk free; keep leaves it in the spool for another
// process. It tells whether it is there.
func (b *backlog) done(c chunk, keep bool) bool {
	b.memoryUsed -= int64(cap(c.data))
	if !c.onDisk || keep {
		return c.onDisk
	}
	b.diskUsed -= cost(c)
	b.entry.Delivered(spool.Piece{Number: c.number, Offset: c.offset, Size: c.size})
	return false
}

// putOff keeps a chunk that failed for a second try, if it is in the spool and
// had none.
func (b *backlog) putOff(c chunk) bool {
	if !c.onDisk || b.second {
		return false
	}
	b.memoryUsed -= int64(cap(c.data))
	c.data = nil
	b.aside = append(b.aside, c)
	return true
}

// again begins the second try, if there is anything to try.
func (b *backlog) again() bool {
	if b.second || len(b.aside) == 0 {
		return false
	}
	b.second = true
	b.queue, b.aside = b.aside, nil
	return true
}

// room tells whether there is room for another chunk of so many bytes.
func (b *backlog) room(limit int) bool {
	return b.memoryRoom(limit) || b.diskErr == nil && b.diskRoom(limit)
}

func (b *backlog) memoryRoom(limit int) bool {
	return b.memoryUsed+int64(limit)+b.slack(maxMemory) <= maxMemory
}

func (b *backlog) diskRoom(limit int) bool {
	return b.entry != nil && b.diskUsed+int64(max(limit, minCost))+b.slack(b.disk) <= b.disk
}

func (b *backlog) slack(bound int64) int64 {
	if b.gap == 0 {
		return 0
	}
	return bound / resumeAt
}

func cost(c chunk) int64 { return max(int64(c.size), minCost) } //nolint:gosec // a chunk is small
