package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"connectrpc.com/connect"
	"github.com/cenkalti/backoff/v5"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// DefaultPatience is how long a follow goes on trying to reach a control plane
// that it has lost: enough for a restart or an upgrade.
const DefaultPatience = 5 * time.Minute

const (
	firstRetry = 200 * time.Millisecond
	maxRetry   = 5 * time.Second
)

// errEndedEarly is a stream that ended, in good order, before its job did.
var errEndedEarly = errors.New("the control plane ended the stream before the job had ended")

// A Follower is told what happens to a job. Its methods are called one at a
// time, from the goroutine that follows; an error from one ends the follow.
type Follower interface {
	// Job is the job as it stands: at the beginning, after every change, and
	// again after every reconnection.
	Job(job *switchyardv1.Job) error
	// Log is the next piece of the log; its offset is where the last piece ended,
	// unless bytes are missing.
	Log(piece *switchyardv1.LogChunk) error
	// Interrupted says that the control plane was lost, once per outage. It will
	// be tried until then.
	Interrupted(cause error, until time.Time)
	// Reconnected says that it was found again.
	Reconnected()
}

// FollowOptions say what of a job to follow.
type FollowOptions struct {
	// LogOffset is where to begin in the log, in bytes.
	LogOffset uint64
	// NoWait ends the follow once what has arrived has been told.
	NoWait bool
	// Expected says that the job is on its way, as a retry is once the job that it
	// retries is lost: that it is not known yet is no failure.
	Expected bool
}

// Follow tells f of a job until the job has ended and its log is whole, and
// returns the job as it then stands. A broken connection is taken up again where
// it broke, for as long as the client's patience lasts; but the first connection
// must come about at once. It returns ctx's cause where ctx ends first.
func (c *Client) Follow(ctx context.Context, id string, opts FollowOptions, f Follower) (*switchyardv1.Job, error) {
	return follow(ctx, f, followLoop{
		open: func(ctx context.Context, offset uint64) (events, error) {
			return c.jobs.FollowJob(ctx, &switchyardv1.FollowJobRequest{Id: id, LogOffset: offset, NoWait: opts.NoWait})
		},
		failed:   func(err error) error { return c.failed("following job "+id, err) },
		patience: c.patience,
		offset:   opts.LogOffset,
		noWait:   opts.NoWait,
		expected: opts.Expected,
	})
}

// events is what of connect-go's stream the loop reads.
type events interface {
	Receive() bool
	Msg() *switchyardv1.FollowJobResponse
	Err() error
	Close() error
}

// A followLoop is one follow, over as many connections as it takes.
type followLoop struct {
	open     func(ctx context.Context, offset uint64) (events, error)
	failed   func(error) error
	patience time.Duration
	noWait   bool
	expected bool

	offset uint64 // of the next byte of the log
	job    *switchyardv1.Job
	heard  bool // whether any message ever came
	lost   bool // whether the outage has been told of
}

// A tellError is what the follower returned.
type tellError struct{ error }

func (e tellError) Unwrap() error { return e.error }

func follow(ctx context.Context, f Follower, l followLoop) (*switchyardv1.Job, error) {
	pace := backoff.NewExponentialBackOff()
	pace.InitialInterval, pace.MaxInterval = firstRetry, maxRetry
	var giveUp time.Time
	for {
		spoke, err := l.connection(ctx, f)
		early := l.expected && !l.heard && connect.CodeOf(err) == connect.CodeNotFound
		told, isTold := errors.AsType[tellError](err)
		switch {
		case ctx.Err() != nil:
			return l.job, context.Cause(ctx)
		case isTold:
			return l.job, told.error
		case err == nil && (l.noWait || l.job.GetState().Final()):
			return l.job, nil
		case err == nil:
			err = connect.NewError(connect.CodeUnavailable, errEndedEarly)
		case early:
		case definite(connect.CodeOf(err)), !l.heard:
			return l.job, l.failed(err)
		}
		if spoke || giveUp.IsZero() {
			pace.Reset()
			giveUp = time.Now().Add(l.patience)
		}
		if !l.lost && !early {
			l.lost = true
			f.Interrupted(l.failed(err), giveUp)
		}
		if !time.Now().Before(giveUp) {
			return l.job, fmt.Errorf("no answer for %v: %w", l.patience, l.failed(err))
		}
		if err := wait(ctx, min(pace.NextBackOff(), time.Until(giveUp))); err != nil {
			return l.job, err
		}
	}
}

// connection reads one connection to its end. It says whether a message came.
func (l *followLoop) connection(ctx context.Context, f Follower) (spoke bool, err error) {
	stream, err := l.open(ctx, l.offset)
	if err != nil {
		return false, err
	}
	defer stream.Close()
	for stream.Receive() {
		spoke, l.heard = true, true
		if l.lost {
			l.lost = false
			f.Reconnected()
		}
		if err := l.tell(f, stream.Msg()); err != nil {
			return spoke, tellError{err}
		}
	}
	return spoke, stream.Err()
}

func (l *followLoop) tell(f Follower, msg *switchyardv1.FollowJobResponse) error {
	switch event := msg.GetEvent().(type) {
	case *switchyardv1.FollowJobResponse_Job:
		l.job = event.Job
		return f.Job(event.Job)
	case *switchyardv1.FollowJobResponse_Log:
		piece := event.Log
		end := piece.GetOffset() + uint64(len(piece.GetData()))
		if end <= l.offset && piece.GetOffset() < l.offset {
			return nil // told before the connection broke
		}
		if piece.GetOffset() < l.offset { // half of it, and what was missing before it
			piece.Data = piece.GetData()[l.offset-piece.GetOffset():]
			piece.Offset, piece.Missing = l.offset, 0
		}
		l.offset = max(l.offset, end)
		return f.Log(piece)
	default: // an event of a newer control plane
		return nil
	}
}

// wait waits for d, or until ctx ends and then returns its cause.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
