package logpipe

import (
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// queue is the stage that collects bytes into chunks and holds them until they are
// uploaded. Uploaders call take and done. All methods may be called concurrently,
// except write and close.
type queue struct {
	chunkSize int           // of a full chunk, in bytes
	interval  time.Duration // from the first byte of a chunk until it is due
	warnSize  uint64
	logger    *zap.Logger
	spare     chan []byte // buffers to reuse
	begin     func()      // begins the uploads; nil once it was called

	mu        sync.Mutex
	changed   sync.Cond // a chunk can be taken, an upload has ended, or the queue is closed or aborted
	backlog   backlog
	buf       []byte      // the chunk being filled
	spooled   bool        // buf is in the spool as well
	sequence  uint64      // of buf, from 1
	offset    uint64      // of buf in the log
	due       bool        // buf is to be uploaded before it is full
	timer     *time.Timer // makes buf due
	last      byte        // of the log
	uploading int
	closed    bool // nothing more is written
	aborted   bool // uploads fail from now on
	full      bool // the control plane keeps no more of the log; see stop
	cut       uint64
	warned    bool
	failed    int // chunks, including kept
	kept      int // failed chunks that are in the spool

	holdLeft time.Duration // how long Write may still block
	gap      uint64        // bytes dropped since the last that were kept
	gapErr   error         // why the gap began: the spool failed; nil if it was full
	dropped  uint64        // bytes dropped in all
}

func newQueue(c Config) *queue {
	q := &queue{
		chunkSize: int(min(c.ChunkMaxSize, MaxChunk)),
		interval:  c.ChunkInterval - c.ChunkInterval/uploadShare,
		warnSize:  c.WarnSize,
		logger:    c.Logger,
		sequence:  1,
		holdLeft:  maxHold,
		spare:     make(chan []byte, maxUploads),
		backlog:   backlog{entry: c.Spool, spoolSize: c.SpoolSize},
	}
	q.changed.L = &q.mu
	return q
}

// write adds bytes to the log. Output may block and may be dropped; see room.go.
func (q *queue) write(from origin, p []byte) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.full {
		q.cut += uint64(len(p))
		return
	}
	if from == fromAgent {
		q.endGap()
		q.force(p)
	} else {
		q.add(p)
	}
	if q.size() > q.warnSize && !q.warned {
		q.warned = true
		q.logger.Warn("the log of the job exceeds the limit of the control plane; uploads continue",
			zap.Uint64("limit_bytes", q.warnSize))
	}
}

// close makes every remaining chunk due. The queue ends when they are uploaded.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.endGap()
	q.closed = true
	q.changed.Broadcast()
}

// abort makes a blocked write return.
func (q *queue) abort() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.aborted = true
	q.changed.Broadcast()
}

func (q *queue) stats() Stats {
	q.mu.Lock()
	defer q.mu.Unlock()
	return Stats{Bytes: q.size() + q.dropped + q.cut, Failed: q.failed, Kept: q.kept}
}

// size returns the size of the log without what was dropped. The caller holds the
// lock.
func (q *queue) size() uint64 { return q.offset + uint64(len(q.buf)) }

// fill adds bytes to the chunk being filled, which must have room for them. The
// caller holds the lock.
func (q *queue) fill(p []byte) {
	if q.begin != nil { // a job that writes nothing needs none
		q.begin()
		q.begin = nil
	}
	first := len(q.buf) == 0
	if need := len(q.buf) + len(p); need > cap(q.buf) { // not by append, which allocates more than a chunk
		q.buf = append(make([]byte, 0, min(q.chunkSize, max(need, 2*cap(q.buf)))), q.buf...)
	}
	q.buf = append(q.buf, p...)
	q.last = p[len(p)-1]
	switch {
	case len(q.buf) == q.chunkSize:
		q.endChunk()
		q.changed.Broadcast()
	case first:
		q.startTimer()
	}
}

// startTimer makes the chunk being filled due after the interval. The caller holds
// the lock.
func (q *queue) startTimer() {
	sequence := q.sequence
	q.timer = time.AfterFunc(q.interval, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		if q.sequence == sequence { // else that chunk has ended
			q.due = true
			q.changed.Broadcast()
		}
	})
}

// endChunk moves the chunk being filled to the backlog. The caller holds the lock.
func (q *queue) endChunk() {
	if q.timer != nil {
		q.timer.Stop()
	}
	size := uint64(len(q.buf))
	q.buf = q.backlog.add(spool.Chunk{Sequence: q.sequence, Offset: q.offset, Size: size}, q.buf, q.spooled)
	q.offset += size
	q.sequence++
	q.due = false
	if q.buf == nil {
		q.buf = q.takeSpare()
	}
}

// take waits for a chunk to upload and returns it. It reports false when the queue
// is closed and every chunk was uploaded or has failed. The caller must call done
// with the chunk.
func (q *queue) take() (chunk, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		if len(q.backlog.waiting) == 0 && len(q.buf) > 0 && (q.due || q.closed) {
			q.endChunk()
		}
		if c, ok := q.backlog.next(); ok {
			q.uploading++
			return c, true
		}
		if !q.closed || q.uploading > 0 {
			q.changed.Wait()
		} else if !q.backlog.retry() {
			return chunk{}, false
		}
	}
}

// done records that the upload of a chunk has ended, with err. It takes over data, the
// buffer with the chunk's bytes, which may be nil.
func (q *queue) done(c chunk, data []byte, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.uploading--
	refused := errors.Is(err, wire.ErrRefused)
	fields := []zap.Field{zap.Uint64("sequence", c.Sequence), zap.Uint64("bytes", c.Size), zap.Error(err)}
	switch {
	case err == nil:
		q.backlog.remove(c, true)
	case errors.Is(err, wire.ErrLogFull):
		q.backlog.remove(c, true)
		q.stop(err)
	case !refused && !q.aborted && q.backlog.postpone(c):
		q.logger.Warn("could not upload a log chunk; it stays in the spool and is tried again at the end of the job", fields...)
	case q.backlog.remove(c, refused):
		q.failed++
		q.kept++
		q.logger.Warn("could not upload a log chunk; it stays in the spool", fields...)
	default:
		q.failed++
		q.logger.Warn("lost a log chunk", fields...)
	}
	select { // keep the buffer, if there is room
	case q.spare <- data[:0]:
	default:
	}
	q.changed.Broadcast()
}

// stop discards what waits, and everything that is written from now on: the control
// plane keeps no more of the log. Nothing of that counts as failed, and the job goes on.
// The caller holds the lock.
func (q *queue) stop(why error) {
	if !q.full {
		q.full = true
		q.logger.Warn("the control plane keeps no more of the log of the job; uploads end, the job goes on", zap.Error(why))
	}
	if len(q.buf) > 0 {
		q.endChunk()
	}
	q.gap = 0
	q.backlog.discard()
}

// takeSpare returns a buffer to reuse, or nil.
func (q *queue) takeSpare() []byte {
	select {
	case buf := <-q.spare:
		return buf
	default:
		return nil
	}
}
