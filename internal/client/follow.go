package client

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"
	"github.com/cenkalti/backoff/v5"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// DefaultPatience is how long a follow tries to reach a lost control plane again:
// enough for a restart or an upgrade.
const DefaultPatience = 5 * time.Minute

const (
	firstRetry = 200 * time.Millisecond
	maxRetry   = 5 * time.Second
)

// errEndedEarly is a stream that ended cleanly before its job did.
var errEndedEarly = errors.New("the control plane ended the stream before the job had ended")

// Follower receives what happens to a job. Its methods are called one at a time, by the
// goroutine that follows. If one returns an error the follow ends with it.
type Follower interface {
	// Job is called with the job at the beginning, after every change, and again
	// after every reconnection.
	Job(job *switchyardv1.Job) error
	// Log is called with the next chunk of the log. Its offset is where the last chunk
	// ended, unless bytes are missing.
	Log(chunk *switchyardv1.LogChunk) error
	// Interrupted is called once for each outage of the control plane, with the time
	// until which the follow tries to reach it again.
	Interrupted(cause error, until time.Time)
	// Reconnected is called when the outage is over.
	Reconnected()
}

// FollowOptions are the part of a job to follow.
type FollowOptions struct {
	// LogOffset is where to begin in the log, in bytes.
	LogOffset uint64
	// OmitLog leaves out the log.
	OmitLog bool
	// NoWait ends the follow once everything that exists now was received.
	NoWait bool
	// Expected means that the job will exist soon, such as the retry of a lost job:
	// the follow waits for it.
	Expected bool
}

// Follow calls f until the job has ended and its log is complete, and returns the job.
// Once the control plane has responded to this call or an earlier one of the client, a
// connection that is lost or cannot be opened is tried again for as long as the client's
// patience lasts. It returns the cause of ctx's end if that comes first.
func (c *Client) Follow(ctx context.Context, id string, opts FollowOptions, f Follower) (*switchyardv1.Job, error) {
	return follow(ctx, identified{f, &id}, followLoop{
		open: func(ctx context.Context, offset uint64) (eventStream, error) {
			return c.jobs.FollowJob(ctx, &switchyardv1.FollowJobRequest{Id: id, LogOffset: offset, NoWait: opts.NoWait, OmitLog: opts.OmitLog})
		},
		failed:   func(err error) error { return c.failed("following job "+id, err) },
		patience: c.patience,
		offset:   opts.LogOffset,
		noWait:   opts.NoWait,
		expected: opts.Expected,
		reached:  &c.reached,
	})
}

// identified is a Follower that replaces the beginning of the job's ID by the ID, so that it
// names the same job when the connection is opened again.
type identified struct {
	Follower

	id *string
}

// Job implements Follower.
func (f identified) Job(job *switchyardv1.Job) error {
	*f.id = job.GetId()
	return f.Follower.Job(job)
}

// eventStream is the part of connect-go's stream that the loop needs.
type eventStream interface {
	Receive() bool
	Msg() *switchyardv1.FollowJobResponse
	Err() error
	Close() error
}

// followLoop is one follow, over any number of connections.
type followLoop struct {
	open     func(ctx context.Context, offset uint64) (eventStream, error)
	failed   func(error) error
	patience time.Duration
	noWait   bool
	expected bool
	reached  *atomic.Bool // of the client

	offset   uint64 // of the next byte of the log
	job      *switchyardv1.Job
	received bool // whether any message has been received
	lost     bool // whether the follower knows of the outage
}

// followerError is an error of the follower.
type followerError struct{ error }

func (e followerError) Unwrap() error { return e.error }

func follow(ctx context.Context, f Follower, l followLoop) (*switchyardv1.Job, error) {
	waits := backoff.NewExponentialBackOff()
	waits.InitialInterval, waits.MaxInterval = firstRetry, maxRetry
	var giveUp time.Time
	for {
		received, err := l.connection(ctx, f)
		early := l.expected && !l.received && connect.CodeOf(err) == connect.CodeNotFound
		refused, isFollower := errors.AsType[followerError](err)
		switch {
		case ctx.Err() != nil:
			return l.job, context.Cause(ctx)
		case isFollower:
			return l.job, refused.error
		case err == nil && (l.noWait || l.job.GetState().Final()):
			return l.job, nil
		case err == nil:
			err = connect.NewError(connect.CodeUnavailable, errEndedEarly)
		case early:
		case definite(connect.CodeOf(err)), !l.reached.Load():
			return l.job, l.failed(err)
		}
		if received || giveUp.IsZero() {
			waits.Reset()
			giveUp = time.Now().Add(l.patience)
		}
		if !l.lost && !early {
			l.lost = true
			f.Interrupted(l.failed(err), giveUp)
		}
		if !time.Now().Before(giveUp) {
			return l.job, fmt.Errorf("no response for %v: %w", l.patience, l.failed(err))
		}
		select {
		case <-time.After(min(waits.NextBackOff(), time.Until(giveUp))):
		case <-ctx.Done():
			return l.job, context.Cause(ctx)
		}
	}
}

// connection reads one connection to its end. It reports whether a message was
// received.
func (l *followLoop) connection(ctx context.Context, f Follower) (received bool, err error) {
	stream, err := l.open(ctx, l.offset)
	if err != nil {
		return false, err
	}
	defer stream.Close()
	for stream.Receive() {
		received, l.received = true, true
		l.reached.Store(true)
		if l.lost {
			l.lost = false
			f.Reconnected()
		}
		if err := l.deliver(f, stream.Msg()); err != nil {
			return received, followerError{err}
		}
	}
	return received, stream.Err()
}

// deliver passes a message to the follower, without the bytes of the log that it has
// already.
func (l *followLoop) deliver(f Follower, msg *switchyardv1.FollowJobResponse) error {
	switch event := msg.GetEvent().(type) {
	case *switchyardv1.FollowJobResponse_Job:
		l.job = event.Job
		return f.Job(event.Job)
	case *switchyardv1.FollowJobResponse_Log:
		chunk := event.Log
		end := chunk.GetOffset() + uint64(len(chunk.GetData()))
		if end <= l.offset && chunk.GetOffset() < l.offset {
			return nil
		}
		if chunk.GetOffset() < l.offset { // its second part is new; what is missing was reported
			chunk.Data = chunk.GetData()[l.offset-chunk.GetOffset():]
			chunk.Offset, chunk.Missing = l.offset, 0
		}
		l.offset = max(l.offset, end)
		return f.Log(chunk)
	default: // an event that this version does not know
		return nil
	}
}
