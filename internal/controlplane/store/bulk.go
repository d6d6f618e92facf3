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

// Jobs returns the jobs with these IDs, at most 1,000 of them, by ID, and the size of
// their records in bytes. A job that is not stored, or whose record is damaged, is left
// out. ErrUnavailable.
func (s *Store) Jobs(ctx context.Context, ids []string) (jobs map[string]record.Job, size int, err error) {
	switch {
	case len(ids) == 0:
		return nil, 0, nil
	case s.state.CachedInfo().Config.AllowDirect:
		return s.jobs(ctx, ids, s.readDirect)
	}
	return s.jobs(ctx, ids, s.readEach)
}

// reader reads the records of jobs and passes each that is stored to add, one at a
// time.
type reader func(ctx context.Context, ids []string, add func(subject string, data []byte, revision uint64)) error

func (s *Store) jobs(ctx context.Context, ids []string, read reader) (jobs map[string]record.Job, size int, err error) {
	jobs = make(map[string]record.Job, len(ids))
	err = read(ctx, ids, func(subject string, data []byte, revision uint64) {
		id := strings.TrimPrefix(subject, jobPrefix)
		job, err := decode[record.Job](data, "reading job "+id)
		if err != nil {
			s.opts.Logger.Error("skipped a damaged record", zap.String("job_id", id), zap.Error(err))
			return
		}
		job.Revision = revision
		jobs[id] = job
		size += len(data)
	})
	return jobs, size, err
}

// readDirect reads all records with one request. A stream with one copy allows that:
// the copy that responds does not lag.
func (s *Store) readDirect(ctx context.Context, ids []string, add func(subject string, data []byte, revision uint64)) error {
	const doing = "reading jobs"
	bounded, cancel := s.bound(ctx)
	defer cancel()
	subjects := make([]string, 0, len(ids))
	for _, id := range ids {
		subjects = append(subjects, jobPrefix+id)
	}
	messages, err := jetstreamext.GetLastMsgsFor(bounded, s.js, stateStream, subjects)
	if err != nil {
		return wrap(ctx, err, doing)
	}
	for msg, err := range messages {
		if errors.Is(err, jetstreamext.ErrNoMessages) {
			return nil
		}
		if err != nil {
			return wrap(ctx, err, doing)
		}
		add(msg.Subject, msg.Data, msg.Sequence)
	}
	return nil
}

// readEach reads the records one by one from the leader of the stream, several at a
// time.
func (s *Store) readEach(ctx context.Context, ids []string, add func(subject string, data []byte, revision uint64)) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(concurrentReads)
	var mu sync.Mutex
	for _, id := range ids {
		group.Go(func() error {
			bounded, cancel := s.bound(ctx)
			defer cancel()
			msg, err := s.state.GetLastMsgForSubject(bounded, jobPrefix+id)
			switch {
			case errors.Is(err, jetstream.ErrMsgNotFound):
				return nil
			case err != nil:
				return wrap(ctx, err, "reading job "+id)
			}
			mu.Lock()
			defer mu.Unlock()
			add(msg.Subject, msg.Data, msg.Sequence)
			return nil
		})
	}
	return group.Wait() //nolint:wrapcheck // the errors say what was attempted
}
