package dispatch

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// maxChanges bounds the changes that a slow follower has still to be given; a job
// changes about five times in its life.
const maxChanges = 64

// follower is one reader of a job's changes.
type follower struct {
	mu      sync.Mutex
	changes []store.Job
	wake    chan struct{}
}

func (f *follower) add(job store.Job) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.changes) == maxChanges {
		f.changes = slices.Delete(f.changes, 0, 1)
	}
	f.changes = append(f.changes, job)
	f.signal()
}

func (f *follower) take() []store.Job {
	f.mu.Lock()
	defer f.mu.Unlock()
	changes := f.changes
	f.changes = nil
	return changes
}

func (f *follower) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// Follow gives the job as it stands, then every change of it, or of why it waits,
// and every piece of its log in order, and ends when the job has ended and its log
// is whole. A follower that is slow may miss changes in between, never the last.
// The log waits for a missing piece for LogGrace at most; a job's own end is waited
// for as long as it takes. An error is the last thing it gives: ErrNotFound,
// ErrClosed, or the context's.
func (d *Dispatcher) Follow(ctx context.Context, id string, o FollowOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		stop := context.AfterFunc(d.ctx, func() { cancel(ErrClosed) })
		defer stop()
		f := &following{d: d, id: id, o: o, yield: yield, pieces: make(chan store.Chunk), assembly: assembly{next: o.LogOffset}}
		err := f.run(ctx)
		if err == nil || errors.Is(err, errStopped) {
			return
		}
		if cause := context.Cause(ctx); cause != nil {
			err = fmt.Errorf("following job %s: %w", id, cause)
		}
		yield(Event{}, err)
	}
}

// errStopped: the reader wants no more.
var errStopped = errors.New("the follower has gone")

// following is one call of Follow.
type following struct {
	d     *Dispatcher
	id    string
	o     FollowOptions
	yield func(Event, error) bool

	job      store.Job
	waits    string // why, as it was told last
	assembly assembly
	pieces   chan store.Chunk
	readErr  error
	// last is the position up to which the log is to be read, once that is known.
	last      uint64
	lastKnown bool
	position  uint64
	gapSince  time.Time
}

func (f *following) run(ctx context.Context) error {
	changes := &follower{wake: make(chan struct{}, 1)}
	f.d.follow(f.id, changes)
	defer f.d.unfollow(f.id, changes)
	job, err := f.d.readJob(ctx, f.id)
	if err != nil {
		return err
	}
	if err := f.changed(ctx, job); err != nil {
		return err
	}
	var reading sync.WaitGroup
	ctx, cancel := context.WithCancel(ctx)
	defer reading.Wait()
	defer cancel()
	if !f.o.OmitLog {
		reading.Go(func() { f.read(ctx) })
	}
	for {
		if over, err := f.over(ctx); over || err != nil {
			return err
		}
		select {
		case <-changes.wake:
			for _, job := range changes.take() {
				if err := f.changed(ctx, job); err != nil {
					return err
				}
			}
			if err := f.reconsidered(); err != nil {
				return err
			}
		case c, ok := <-f.pieces:
			if !ok {
				return f.readErr
			}
			if err := f.arrived(ctx, c); err != nil {
				return err
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// read brings the pieces of the log as they are stored.
func (f *following) read(ctx context.Context) {
	defer close(f.pieces)
	f.readErr = f.d.st.ReadLog(ctx, f.id, func(c store.Chunk) bool {
		select {
		case f.pieces <- c:
			return true
		case <-ctx.Done():
			return false
		}
	})
}

// changed gives a newer record. With it, or at once where nothing is to be waited
// for, it is known how far the log is to be read.
func (f *following) changed(ctx context.Context, job store.Job) error {
	if job.Revision <= f.job.Revision {
		return nil
	}
	f.job, f.waits = job, f.d.WaitingReason(job)
	if !f.yield(Event{Job: &job, Waits: f.waits}, nil) {
		return errStopped
	}
	if f.o.OmitLog || f.lastKnown || !f.o.NoWait && !job.State.Final() {
		return nil
	}
	last, err := f.d.st.LastChunk(ctx, f.id)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err //nolint:wrapcheck // the store's errors are in words already
	}
	f.last, f.lastKnown = last.Position, true
	return nil
}

// reconsidered gives the job again where it waits for another reason than before:
// workers come, go and pause without a change of the job's record. Every sweep
// wakes the followers, so that it is seen within its interval.
func (f *following) reconsidered() error {
	waits := f.d.WaitingReason(f.job)
	if waits == f.waits {
		return nil
	}
	f.waits = waits
	job := f.job
	if !f.yield(Event{Job: &job, Waits: waits}, nil) {
		return errStopped
	}
	return nil
}

// arrived gives a piece that fits, and those that were waiting for it.
func (f *following) arrived(ctx context.Context, c store.Chunk) error {
	f.position = c.Position
	if piece, ok := f.assembly.add(c); ok {
		if !f.yield(Event{Log: &piece}, nil) {
			return errStopped
		}
	}
	if err := f.giveEarly(ctx, false); err != nil {
		return err
	}
	switch {
	case !f.assembly.gap():
		f.gapSince = time.Time{}
	case f.gapSince.IsZero():
		f.gapSince = f.d.now()
	}
	return nil
}

// giveEarly gives the early pieces whose turn has come, or with skip all of them.
func (f *following) giveEarly(ctx context.Context, skip bool) error {
	for {
		position, ok := f.assembly.due(skip)
		if !ok {
			return nil
		}
		c, err := f.d.st.ChunkAt(ctx, position)
		if errors.Is(err, store.ErrNotFound) {
			continue // it has expired: the gap is that much longer
		}
		if err != nil {
			return err //nolint:wrapcheck // the store's errors are in words already
		}
		piece := f.assembly.giveDue(c)
		if !f.yield(Event{Log: &piece}, nil) {
			return errStopped
		}
	}
}

// over gives up on what will not come any more, and reports whether there is
// nothing left to wait for.
func (f *following) over(ctx context.Context) (bool, error) {
	end := f.o.NoWait || f.job.State.Final()
	if f.o.OmitLog {
		return end, nil
	}
	read := f.lastKnown && f.position >= f.last
	if f.assembly.gap() && (read && f.hopeless() || f.d.now().Sub(f.gapSince) >= f.d.o.LogGrace) {
		if err := f.giveEarly(ctx, true); err != nil {
			return false, err
		}
		f.gapSince = time.Time{}
	}
	return end && read && !f.assembly.gap(), nil
}

// hopeless reports whether a missing piece is known not to come: the worker has
// said so, its token has stopped working, or nobody wants to wait.
func (f *following) hopeless() bool {
	return f.o.NoWait || f.job.ChunksFailed > 0 || f.job.State == wire.StateLost
}

func (d *Dispatcher) follow(id string, f *follower) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.x.followers[id] = append(d.x.followers[id], f)
}

func (d *Dispatcher) unfollow(id string, f *follower) {
	d.mu.Lock()
	defer d.mu.Unlock()
	left := slices.DeleteFunc(slices.Clone(d.x.followers[id]), func(g *follower) bool { return g == f })
	if len(left) == 0 {
		delete(d.x.followers, id)
	} else {
		d.x.followers[id] = left
	}
}
