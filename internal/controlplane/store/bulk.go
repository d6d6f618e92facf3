package store

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
	"go.uber.org/zap"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// concurrentReads is how many records are read at a time where a read returns one.
const concurrentReads = 32

// Jobs returns the jobs with these IDs, at most 1,000 of them, by ID and without their
// history, and the size of their records in bytes. A job that is not stored, or whose
// record is damaged, is left out. ErrUnavailable.
func (s *Store) Jobs(ctx context.Context, ids []string) (jobs map[string]record.Job, size int, err error) {
	subjects := make([]string, 0, len(ids))
	for _, id := range ids {
		subjects = append(subjects, jobPrefix+id)
	}
	jobs = make(map[string]record.Job, len(ids))
	err = s.readMany(ctx, subjects, func(msg *jetstream.RawStreamMsg) {
		if len(msg.Data) == 0 { // the marker of a deleted job
			return
		}
		id := strings.TrimPrefix(msg.Subject, jobPrefix)
		var listed record.Listed
		if err := record.Decode(msg.Data, &listed); err != nil {
			s.opts.Logger.Error("skipped a damaged record", zap.String("job_id", id), zap.Error(err))
			return
		}
		listed.Revision = msg.Sequence
		jobs[id] = listed.Job
		size += len(msg.Data)
	})
	return jobs, size, err
}

// readMany passes the present message of each of the subjects to add, one at a time,
// in any order. A subject without a message is left out. ErrUnavailable.
func (s *Store) readMany(ctx context.Context, subjects []string, add func(*jetstream.RawStreamMsg)) error {
	switch {
	case len(subjects) == 0:
		return nil
	case s.state.CachedInfo().Config.AllowDirect:
		return s.readDirect(ctx, subjects, add)
	}
	return s.readEach(ctx, subjects, add)
}

// readDirect is readMany with one request. A stream with one copy allows that: the
// copy that responds does not lag.
func (s *Store) readDirect(ctx context.Context, subjects []string, add func(*jetstream.RawStreamMsg)) error {
	err := s.request(ctx, kind{stream: stateStream}, func(ctx context.Context) error {
		messages, err := jetstreamext.GetLastMsgsFor(ctx, s.js, stateStream, subjects)
		if err != nil {
			return err //nolint:wrapcheck // wrapped below
		}
		for msg, err := range messages {
			if errors.Is(err, jetstreamext.ErrNoMessages) {
				return nil
			}
			if err != nil {
				return err
			}
			add(msg)
		}
		return nil
	})
	if err != nil {
		return wrap(ctx, err, "reading records")
	}
	return nil
}

// readEach is readMany with a request for each, several at a time, to the leader of
// the stream.
func (s *Store) readEach(ctx context.Context, subjects []string, add func(*jetstream.RawStreamMsg)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentReads)
	var mu sync.Mutex
	for _, subject := range subjects {
		group.Go(func() error {
			msg, err := s.last(ctx, s.state, subject)
			switch {
			case errors.Is(err, jetstream.ErrMsgNotFound):
				return nil
			case err != nil:
				return wrap(ctx, err, "reading "+subject)
			}
			mu.Lock()
			defer mu.Unlock()
			add(msg)
			return nil
		})
	}
	return group.Wait() //nolint:wrapcheck // the errors say what was attempted
}
