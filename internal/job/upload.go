package job

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// maxInFlight is how many chunks are uploaded at the same time (wire-facts, section 3).
	maxInFlight = 3
	// maxChunk bounds a chunk whatever the control plane allows, and with maxInFlight the memory of a job's output:
	// maxInFlight chunks under way and one being filled.
	maxChunk = 1 << 20
)

// uploader cuts output into chunks and uploads them. A chunk goes out when it is full, when the interval has passed
// since its first byte, and at the flush. While maxInFlight uploads are under way and the next chunk is full, Write
// waits: that is the back pressure that bounds memory.
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
	freed    sync.Cond   // an upload has ended
	buf      []byte      // the chunk being filled
	spare    [][]byte    // buffers of ended uploads, at most maxInFlight
	timer    *time.Timer // runs from the first byte of buf
	sequence uint64      // of the last chunk sent
	offset   uint64      // of buf in the output
	due      bool        // buf has waited long enough
	flushing bool
	inFlight int
	failed   int
	warned   bool
}

// newUploader gives an uploader whose uploads live until ctx ends, or abort is called.
func newUploader(ctx context.Context, cp ControlPlane, spec Spec, logger *zap.Logger) *uploader {
	u := &uploader{
		cp:       cp,
		limit:    int(min(spec.ChunkMaxSize, maxChunk)),
		interval: spec.ChunkInterval,
		warnAt:   spec.LogMaxSize,
		logger:   logger,
	}
	u.ctx, u.abort = context.WithCancel(ctx)
	u.freed.L = &u.mu
	u.front = newFront(u)

	return u
}

// Write takes output that has come through the front. It never fails: a chunk that does is counted, and the job goes on.
func (u *uploader) Write(p []byte) (int, error) {
	u.mu.Lock()
	defer u.mu.Unlock()

	for rest := p; len(rest) > 0; {
		for len(u.buf) == u.limit {
			u.freed.Wait()
		}

		n := min(len(rest), u.limit-len(u.buf))
		first := len(u.buf) == 0

		u.buf = append(u.buf, rest[:n]...)
		rest = rest[n:]

		u.dispatch()

		if first && len(u.buf) > 0 {
			u.startClock()
		}
	}

	if total := u.offset + uint64(len(u.buf)); total > u.warnAt && !u.warned {
		u.warned = true
		u.logger.Warn("the job's output is larger than the control plane wants; it is uploaded all the same",
			zap.Uint64("limit", u.warnAt))
	}

	return len(p), nil
}

// linef adds a line of the agent's own to the output, on a line of its own.
func (u *uploader) linef(format string, args ...any) {
	u.front.line("switchyard: " + fmt.Sprintf(format, args...))
}

// flush uploads what is left, waits for every upload to end, and ends the uploader. It is bounded by abort.
func (u *uploader) flush() {
	u.front.flush()

	u.mu.Lock()
	defer u.mu.Unlock()

	u.flushing = true
	u.dispatch()

	for u.inFlight > 0 || len(u.buf) > 0 {
		u.freed.Wait()
	}

	u.abort()
}

// total is the output so far, in bytes.
func (u *uploader) total() uint64 {
	u.mu.Lock()
	defer u.mu.Unlock()

	return u.offset + uint64(len(u.buf))
}

// startClock makes the chunk being filled due after the interval. The lock is held.
func (u *uploader) startClock() {
	next := u.sequence + 1

	u.timer = time.AfterFunc(u.interval, func() {
		u.mu.Lock()
		defer u.mu.Unlock()

		if u.sequence+1 == next { // else that chunk went out as the clock struck
			u.due = true
			u.dispatch()
		}
	})
}

// dispatch sends the chunk being filled if it is time and there is room. The lock is held.
func (u *uploader) dispatch() {
	ready := len(u.buf) == u.limit || u.due || u.flushing
	if len(u.buf) == 0 || !ready || u.inFlight == maxInFlight {
		return
	}

	if u.timer != nil {
		u.timer.Stop()
	}

	u.sequence++
	chunk := Chunk{Sequence: u.sequence, Offset: u.offset, Size: uint64(len(u.buf)), Data: u.buf}

	u.offset += chunk.Size
	u.due = false
	u.inFlight++
	u.buf = nil

	if n := len(u.spare); n > 0 {
		u.buf, u.spare = u.spare[n-1], u.spare[:n-1]
	}

	go u.upload(chunk)
}

// upload sends one chunk and makes room for the next.
func (u *uploader) upload(chunk Chunk) {
	err := u.ctx.Err()
	if err == nil {
		err = u.cp.Chunk(u.ctx, chunk)
	}

	u.mu.Lock()
	defer u.mu.Unlock()

	if err != nil {
		u.failed++
		u.logger.Warn("a chunk of the job's output is lost",
			zap.Uint64("sequence", chunk.Sequence), zap.Uint64("size", chunk.Size), zap.Error(err))
	}

	u.inFlight--
	u.spare = append(u.spare, chunk.Data[:0])

	u.dispatch()
	u.freed.Broadcast()
}
