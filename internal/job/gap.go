package job

import (
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// spoolTo has the uploader keep in the spool what is not delivered, up to so
// many bytes. It is called before the first write.
func (u *uploader) spoolTo(entry *spool.Entry, size int64) {
	u.backlog.entry, u.backlog.disk = entry, size
}

// owes gives how many chunks were lost for good, without those that are in the
// spool.
func (u *uploader) owes() (lost, kept int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.failed - u.kept, u.kept
}

// add takes output as far as there is room for it, waits for room a little, and
// cuts the rest. The lock is held, and given up while it waits.
func (u *uploader) add(p []byte) {
	for rest := p; len(rest) > 0; {
		if u.backlog.gap > 0 && !u.backlog.room(u.limit) {
			u.drop(rest)
			return
		}
		u.endGap()
		n := min(len(rest), u.limit-len(u.buf))
		switch {
		case u.keep(rest[:n], false):
			u.put(rest[:n])
			rest = rest[n:]
		case !u.hold():
			u.drop(rest)
			return
		}
	}
}

// keep finds room for bytes of the chunk being filled, and writes them to the
// spool. A chunk is in the spool whole or not at all, and where there is no
// room for it there, it must find room in memory, when it begins. The lock is
// held.
func (u *uploader) keep(p []byte, force bool) bool {
	b := &u.backlog
	first := len(u.buf) == 0
	if first {
		u.onDisk = b.diskRoom(u.limit) || force && b.entry != nil
	}
	if u.onDisk {
		err := b.entry.Append(u.number, u.offset, p)
		u.onDisk = err == nil
		if err != nil && b.diskErr == nil {
			u.logger.Warn("the job's output cannot be kept on the disk; as long as that is so it is kept in memory, "+
				"and cut if uploads are slow", zap.Error(err))
		}
		b.diskErr = err
	}
	return u.onDisk || force || !first || b.memoryRoom(u.limit)
}

// hold waits for room, no longer than the job may still be held up, and tells
// whether there is. The lock is held, and given up while it waits.
func (u *uploader) hold() bool {
	b := &u.backlog
	began := time.Now()
	timer := time.AfterFunc(b.patience, u.wake)
	defer timer.Stop()
	for !b.room(u.limit) && u.ctx.Err() == nil && time.Since(began) < b.patience {
		u.freed.Wait()
	}
	b.patience = max(0, b.patience-time.Since(began))
	return b.room(u.limit)
}

// drop cuts output. The lock is held.
func (u *uploader) drop(p []byte) {
	b := &u.backlog
	if b.gap == 0 {
		b.gapErr = b.diskErr
		u.logger.Warn("the job's output is cut: it is written faster than the control plane takes it, and there is no room to keep it",
			zap.Int64("limit", b.disk), zap.Int64("kept", b.diskUsed), zap.NamedError("disk", b.diskErr))
	}
	b.gap += uint64(len(p))
	b.dropped += uint64(len(p))
}

// endGap says in the log, where output was cut, how much. What was cut counts
// as the chunks that it would have been. The lock is held.
func (u *uploader) endGap() {
	b := &u.backlog
	if b.gap == 0 {
		return
	}
	cut, limit := b.gap, uint64(u.limit) //nolint:gosec // it is positive
	b.gap = 0
	u.failed += int((cut + limit - 1) / limit) //nolint:gosec // of chunks, and so far below the bound
	why := "there was no room to keep them on the agent's disk (--spool-size)"
	if b.gapErr != nil {
		why = "they could not be kept on the agent's disk: " + b.gapErr.Error()
	}
	u.logger.Warn("the job's output was cut", zap.Uint64("bytes", cut))
	u.sayf("%d bytes of output are missing here: they were written faster than the control plane took them, and %s", cut, why)
}
