package logpipe

import (
	"fmt"
	"time"

	"go.uber.org/zap"
)

const (
	// maxHold is how long the job is blocked in all while there is no room.
	maxHold = time.Minute
	// notePrefix begins every line of the agent's own.
	notePrefix = "switchyard: "
)

// add adds output. Without room it waits a limited time, and drops the rest. The
// caller holds the lock, which is released during the wait.
func (q *queue) add(p []byte) {
	for rest := p; len(rest) > 0; {
		if q.gap > 0 && !q.backlog.hasRoomAfterGap(q.chunkSize) {
			q.drop(rest)
			return
		}
		q.endGap()
		n := min(len(rest), q.chunkSize-len(q.buf))
		switch {
		case q.reserve(rest[:n], false):
			q.fill(rest[:n])
			rest = rest[n:]
		case !q.waitForRoom():
			q.drop(rest)
			return
		}
	}
}

// force adds bytes whatever the bounds. The caller holds the lock.
func (q *queue) force(p []byte) {
	for rest := p; len(rest) > 0; {
		n := min(len(rest), q.chunkSize-len(q.buf))
		q.reserve(rest[:n], true)
		q.fill(rest[:n])
		rest = rest[n:]
	}
}

// reserve finds room for bytes of the chunk being filled and writes them to the
// spool. It reports whether there is room, in the spool or in memory. A chunk is in
// the spool completely or not at all; a chunk that is not needs room in memory when
// it begins. The caller holds the lock.
func (q *queue) reserve(p []byte, force bool) bool {
	b := &q.backlog
	first := len(q.buf) == 0
	if first {
		q.spooled = b.hasSpoolRoom(q.chunkSize) || force && b.entry != nil
	}
	if q.spooled {
		err := b.entry.Append(q.sequence, q.offset, p)
		q.spooled = err == nil
		if err != nil && b.spoolErr == nil {
			q.logger.Warn("could not write the log to the spool; it is kept in memory, and dropped if uploads are slow", zap.Error(err))
		}
		b.spoolErr = err
	}
	return q.spooled || force || !first || b.hasMemoryRoom(q.chunkSize)
}

// waitForRoom waits for room, for the time that the job may still be blocked, and
// reports whether there is room. The caller holds the lock, which is released during
// the wait.
func (q *queue) waitForRoom() bool {
	start := time.Now()
	timer := time.AfterFunc(q.holdLeft, func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.changed.Broadcast()
	})
	defer timer.Stop()
	for !q.backlog.hasRoom(q.chunkSize) && !q.aborted && time.Since(start) < q.holdLeft {
		q.changed.Wait()
	}
	q.holdLeft = max(0, q.holdLeft-time.Since(start))
	return q.backlog.hasRoom(q.chunkSize)
}

// drop drops output. The caller holds the lock.
func (q *queue) drop(p []byte) {
	if q.gap == 0 {
		q.gapErr = q.backlog.spoolErr
		q.logger.Warn("dropping output: the job writes it faster than it is uploaded, and there is no room to keep it",
			zap.Int64("spool_limit_bytes", q.backlog.spoolSize), zap.Int64("spool_used_bytes", q.backlog.spoolUsed), zap.Error(q.gapErr))
	}
	q.gap += uint64(len(p))
	q.dropped += uint64(len(p))
}

// endGap writes into the log how much was dropped at this place, if any was. What
// was dropped counts as the failed chunks that it would have been. The caller holds
// the lock.
func (q *queue) endGap() {
	if q.gap == 0 {
		return
	}
	gap, size := q.gap, uint64(q.chunkSize) //nolint:gosec // it is positive
	q.gap = 0
	q.failed += int((gap + size - 1) / size) //nolint:gosec // a number of chunks is small
	why := "there was no room to keep them on the agent's disk (setting spool-size)"
	if q.gapErr != nil {
		why = "they could not be kept on the agent's disk: " + q.gapErr.Error()
	}
	q.logger.Warn("dropped output", zap.Uint64("bytes", gap))
	const format = "%s%d bytes of output are missing here: they were written faster than they were uploaded, and %s\n"
	note := fmt.Sprintf(format, notePrefix, gap, why)
	if q.size() > 0 && q.last != '\n' {
		note = "\n" + note
	}
	q.force([]byte(note))
}
