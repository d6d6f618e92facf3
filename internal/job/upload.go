package job

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

const (
	// maxInFlight is how many chunks are uploaded at the same time (wire-facts,
	// section 3).
	maxInFlight = 3
	// maxChunk bounds a chunk whatever the control plane allows.
	maxChunk = 1 << 20
	// forTheWay is the part of the interval that is left for the upload, so
	// that output arrives within it.
	forTheWay = 5
)

// uploader cuts output into chunks and uploads them. A chunk goes out when it
// is full, when most of the interval has passed since its first byte, and at
// the flush. While maxInFlight uploads are under way, full chunks wait in the
// [backlog].
//
// Write and linef are for one goroutine at a time; abort may be called by any.
type uploader struct {
	cp       ControlPlane
	ctx      context.Context //nolint:containedctx // the life of the uploads, which no single call owns
	abort    context.CancelFunc
	limit    int
	interval time.Duration
	warnAt   uint64
	logger   *zap.Logger
	front    *front // where output comes in

	mu       sync.Mutex
	freed    sync.Cond // an upload has ended, or all are to
	backlog  backlog
	buf      []byte      // the chunk being filled
	onDisk   bool        // what is in buf is in the spool as well
	spare    [][]byte    // buffers of ended uploads, at most maxInFlight
	timer    *time.Timer // runs from the first byte of buf
	number   uint64      // of the chunk being filled, from 1
	offset   uint64      // of buf in the output
	due      bool        // buf has waited long enough
	flushing bool
	inFlight int
	failed   int
	kept     int  // of those that failed: still in the spool
	last     byte // of the output
	ours     bool // what comes from the front is a line of the agent's own
	warned   bool
}

// newUploader gives an uploader whose uploads live until ctx ends, or abort is
// called.
func newUploader(ctx context.Context, cp ControlPlane, spec Spec, logger *zap.Logger) *uploader {
	u := &uploader{
		cp:       cp,
		limit:    int(min(spec.ChunkMaxSize, maxChunk)),
		interval: spec.ChunkInterval - spec.ChunkInterval/forTheWay,
		warnAt:   spec.LogMaxSize,
		logger:   logger,
		number:   1,
		backlog:  backlog{patience: maxHold},
	}
	u.ctx, u.abort = context.WithCancel(ctx)
	u.freed.L = &u.mu
	u.front = newFront(u)
	context.AfterFunc(u.ctx, u.wake) // whoever waits for room
	return u
}

// Write takes output that has come through the front. It never fails: what
// cannot be kept is cut, counted and told of, and the job goes on.
func (u *uploader) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ours {
		u.endGap()
		u.force(p)
	} else {
		u.add(p)
	}
	if total := u.offset + uint64(len(u.buf)); total > u.warnAt && !u.warned {
		u.warned = true
		u.logger.Warn("the job's output is larger than the control plane wants; it is uploaded all the same",
			zap.Uint64("limit", u.warnAt))
	}
	return len(p), nil
}

// linef adds a line of the agent's own to the output, on a line of its own,
// whatever the bounds.
func (u *uploader) linef(format string, args ...any) {
	u.setOurs(true)
	defer u.setOurs(false)
	u.front.line("switchyard: " + fmt.Sprintf(format, args...))
}

func (u *uploader) setOurs(ours bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.ours = ours
}

// flush uploads what is left, waits for every upload to end, and ends the
// uploader. It is bounded by abort.
func (u *uploader) flush() {
	u.front.flush()
	u.mu.Lock()
	defer u.mu.Unlock()
	u.endGap()
	u.flushing = true
	u.dispatch()
	for u.inFlight > 0 || len(u.buf) > 0 || len(u.backlog.queue) > 0 || u.backlog.again() {
		if u.inFlight == 0 {
			u.dispatch()
		}
		u.freed.Wait()
	}
	u.abort()
}

// total is the output so far, in bytes, with what was cut.
func (u *uploader) total() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.offset + uint64(len(u.buf)) + u.backlog.dropped
}

// put adds to the chunk being filled. The lock is held.
func (u *uploader) put(p []byte) {
	first := len(u.buf) == 0
	if need := len(u.buf) + len(p); need > cap(u.buf) { // not by append, which takes more than the limit
		u.buf = append(make([]byte, 0, min(u.limit, max(need, 2*cap(u.buf)))), u.buf...)
	}
	u.buf = append(u.buf, p...)
	u.last = p[len(p)-1]
	if len(u.buf) == u.limit {
		u.cut()
	}
	u.dispatch()
	if first && len(u.buf) > 0 {
		u.startClock()
	}
}

// startClock makes the chunk being filled due after the interval. The lock is
// held.
func (u *uploader) startClock() {
	number := u.number
	u.timer = time.AfterFunc(u.interval, func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.number == number { // else that chunk was full as the clock struck
			u.due = true
			u.dispatch()
		}
	})
}

// cut ends the chunk being filled and puts it behind those that wait. The lock
// is held.
func (u *uploader) cut() {
	if u.timer != nil {
		u.timer.Stop()
	}
	u.buf = u.backlog.add(u.number, u.offset, u.buf, u.onDisk)
	u.offset = u.backlog.end()
	u.number++
	u.due = false
	if u.buf == nil {
		u.buf = u.popSpare()
	}
}

// popSpare gives a buffer of an ended upload, or nil. The lock is held.
func (u *uploader) popSpare() []byte {
	n := len(u.spare)
	if n == 0 {
		return nil
	}
	buf := u.spare[n-1]
	u.spare = u.spare[:n-1]
	return buf
}

// takeSpare is popSpare for whoever has not got the lock.
func (u *uploader) takeSpare() []byte {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.popSpare()
}

// dispatch sends what waits, as far as there is room; the chunk being filled
// waits from when it is due, and may fill until there is. The lock is held.
func (u *uploader) dispatch() {
	for u.inFlight < maxInFlight {
		if len(u.backlog.queue) == 0 && len(u.buf) > 0 && (u.due || u.flushing) {
			u.cut()
		}
		c, ok := u.backlog.next()
		if !ok {
			return
		}
		u.inFlight++
		go u.upload(c)
	}
}

// upload sends one chunk and makes room for the next.
func (u *uploader) upload(c chunk) {
	err := u.ctx.Err()
	data := c.data
	if err == nil && data == nil {
		data, err = u.backlog.entry.Read(spool.Piece{Number: c.number, Offset: c.offset, Size: c.size}, u.takeSpare())
	}
	if err == nil {
		err = u.cp.Chunk(u.ctx, Chunk{Sequence: c.number, Offset: c.offset, Size: c.size, Data: data})
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.inFlight--
	u.sent(c, err)
	if data != nil && len(u.spare) < maxInFlight {
		u.spare = append(u.spare, data[:0])
	}
	u.dispatch()
	u.freed.Broadcast()
}

// sent notes what became of a chunk. The lock is held.
func (u *uploader) sent(c chunk, err error) {
	refused := errors.Is(err, ErrRefused)
	switch {
	case err == nil:
	case !refused && u.ctx.Err() == nil && u.backlog.putOff(c):
		u.logger.Warn("a chunk of the job's output did not get through; it is kept, and sent again at the job's end",
			zap.Uint64("sequence", c.number), zap.Uint64("size", c.size), zap.Error(err))
		return
	default:
		u.failed++
		u.logger.Warn("a chunk of the job's output is lost",
			zap.Uint64("sequence", c.number), zap.Uint64("size", c.size), zap.Error(err))
	}
	if keep := err != nil && !refused; u.backlog.done(c, keep) {
		u.kept++
	}
}

// wake wakes whoever waits.
func (u *uploader) wake() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.freed.Broadcast()
}

// sayf adds a line of the agent's own about the output, which has no secret in
// it, behind the front. The lock is held.
func (u *uploader) sayf(format string, args ...any) {
	text := "switchyard: " + fmt.Sprintf(format, args...) + "\n"
	if u.offset+uint64(len(u.buf)) > 0 && u.last != '\n' {
		text = "\n" + text
	}
	u.force([]byte(text))
}

// force adds to the output whatever the bounds. The lock is held.
func (u *uploader) force(p []byte) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), u.limit-len(u.buf))
		u.keep(rest[:n], true)
		u.put(rest[:n])
		rest = rest[n:]
	}
}
