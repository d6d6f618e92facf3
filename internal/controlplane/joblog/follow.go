package joblog

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Options select what Follow reports of a job.
type Options struct {
	// LogOffset leaves out the log bytes before it.
	LogOffset uint64
	// OmitLog reports changes of the job only.
	OmitLog bool
	// NoWait ends after everything that has arrived.
	NoWait bool
}

// Event is a change of a followed job or a chunk of its log: exactly one of Job
// and Chunk is set.
type Event struct {
	// Job is the job's record, and WaitingReason why it is queued, if it is.
	Job           *record.Job
	WaitingReason string
	// Chunk is the next chunk of the log or a piece of it, and Missing how many bytes just
	// before its Offset are not there, for the reason Cause. A log whose end is not there ends with
	// a chunk without data.
	Chunk   *store.Chunk
	Missing uint64
	Cause   Cause
}

// Follow returns the job's record, then every change of it or of its waiting
// reason, and every chunk of its log in order. It ends when the job has ended and
// its log is complete. A slow reader may miss changes, never the last one. An
// error is the last item: store.ErrNotFound, or the context's cause.
func (l *Log) Follow(ctx context.Context, jobID string, o Options) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		f := &follower{
			log: l, id: jobID, o: o, yield: yield,
			chunks: make(chan store.Chunk), assembly: assembly{next: o.LogOffset},
		}
		err := f.run(ctx)
		if err == nil || errors.Is(err, errStopped) {
			return
		}
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("following job %s: %w", jobID, cause)
		}
		yield(Event{}, err)
	}
}

// errStopped ends a follower whose reader has stopped reading.
var errStopped = errors.New("the reader has stopped")

// follower is one call of Follow.
type follower struct {
	log   *Log
	id    string
	o     Options
	yield func(Event, error) bool

	job      record.Job
	reason   string // the waiting reason that was reported last
	assembly assembly
	chunks   chan store.Chunk
	readErr  error // set before chunks is closed
	// last is the position at which reading the log ends, if lastKnown.
	last      uint64
	lastKnown bool
	position  uint64    // of the last chunk that was read
	sequence  uint64    // of the last chunk that was reported
	gapSince  time.Time // zero if there is no gap
}

func (f *follower) run(ctx context.Context) error {
	changes := NewSubscription()
	defer f.log.jobs.Subscribe(f.id, changes)()
	job, err := f.log.jobs.ReadJob(ctx, f.id)
	if err != nil {
		return err //nolint:wrapcheck // the error names the job
	}
	if err := f.jobChanged(ctx, job); err != nil {
		return err
	}
	var reading sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer reading.Wait()
	defer cancel()
	if !f.omitsLog() {
		reading.Go(func() { f.readLog(ctx) })
	}
	for {
		if done, err := f.done(ctx); done || err != nil {
			return err
		}
		select {
		case <-changes.wake:
			for _, job := range changes.take() {
				if err := f.jobChanged(ctx, job); err != nil {
					return err
				}
			}
			if err := f.checkReason(); err != nil {
				return err
			}
		case c, ok := <-f.chunks:
			if !ok {
				return f.readErr
			}
			if err := f.chunkArrived(ctx, c); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// readLog sends the chunks of the log in the order of storing.
func (f *follower) readLog(ctx context.Context) {
	defer close(f.chunks)
	f.readErr = f.log.st.ReadChunks(ctx, f.id, func(c store.Chunk) bool {
		select {
		case f.chunks <- c:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// report passes an event to the reader.
func (f *follower) report(e Event) error {
	if !f.yield(e, nil) {
		return errStopped
	}
	return nil
}

// jobChanged reports a newer record. When the job has ended, or at once if the
// reader does not wait, it determines where reading the log ends.
func (f *follower) jobChanged(ctx context.Context, job record.Job) error {
	if job.Revision <= f.job.Revision {
		return nil
	}
	f.job, f.reason = job, f.log.jobs.WaitingReason(job)
	if err := f.report(Event{Job: &job, WaitingReason: f.reason}); err != nil {
		return err
	}
	if f.omitsLog() || f.lastKnown || !f.o.NoWait && !job.State.Final() {
		return nil
	}
	last, err := f.log.st.LastChunk(ctx, f.id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err //nolint:wrapcheck // the store's errors say what was attempted
	}
	f.last, f.lastKnown = last.Position, true
	return nil
}

// checkReason reports the job again if its waiting reason is a new one: workers
// come, leave and pause without a change of the job's record. Every sweep wakes
// the followers, so this happens within its interval.
func (f *follower) checkReason() error {
	reason := f.log.jobs.WaitingReason(f.job)
	if reason == f.reason {
		return nil
	}
	f.reason = reason
	job := f.job
	return f.report(Event{Job: &job, WaitingReason: reason})
}

// chunkArrived reports a chunk if it continues the log, and the early ones that
// follow it.
func (f *follower) chunkArrived(ctx context.Context, c store.Chunk) error {
	f.position = c.Position
	if c.End() <= f.o.LogOffset {
		f.sequence = max(f.sequence, c.Sequence) // left out
	}
	if next, ok := f.assembly.add(c); ok {
		if err := f.reportChunk(next, 0); err != nil {
			return err
		}
	}
	if err := f.reportEarly(ctx, false); err != nil {
		return err
	}
	switch {
	case !f.assembly.hasGap():
		f.gapSince = time.Time{}
	case f.gapSince.IsZero():
		f.gapSince = f.log.config.Now()
	}
	return nil
}

// reportEarly reports the early chunks that are due, or with skip all of them.
func (f *follower) reportEarly(ctx context.Context, skip bool) error {
	for {
		position, ok := f.assembly.due(skip)
		if !ok {
			return nil
		}
		c, err := f.log.st.ChunkAt(ctx, position)
		if errors.Is(err, store.ErrNotFound) {
			continue // it has expired: the gap is that much longer
		}
		if err != nil {
			return err //nolint:wrapcheck // the store's errors say what was attempted
		}
		if err := f.reportChunk(f.assembly.advance(c)); err != nil {
			return err
		}
	}
}

// done reports whether the follower has reported everything. It first skips a gap
// that has lasted too long, or that is not waited for: once the job has ended, no chunk
// is on its way.
func (f *follower) done(ctx context.Context) (bool, error) {
	end := f.o.NoWait || f.job.State.Final()
	if f.omitsLog() {
		return end, nil
	}
	read := f.lastKnown && f.position >= f.last
	if f.assembly.hasGap() && (read && end || f.log.config.Now().Sub(f.gapSince) >= f.log.config.Grace) {
		if err := f.reportEarly(ctx, true); err != nil {
			return false, err
		}
		f.gapSince = time.Time{}
	}
	if !end || !read || f.assembly.hasGap() {
		return false, nil
	}
	return true, f.reportEnd()
}

// omitsLog reports whether there is no log to report: it is not asked for, or deleted.
func (f *follower) omitsLog() bool { return f.o.OmitLog || f.job.Log.Deletion != nil }
