package store

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// markerRetention is how long the marker of a deleted job is kept, which is what
// watches report. A replica that was cut off from the store for longer notices when
// it reads the job.
const markerRetention = time.Hour

// DeleteJob deletes the record of a job, if it is the one of job.Revision. A watch
// reports JobDeleted. ErrConflict, ErrUnavailable.
func (s *Store) DeleteJob(ctx context.Context, job record.Job) error {
	marker := nats.NewMsg(jobPrefix + job.ID)
	setTTL(marker, markerRetention)
	_, err := s.write(ctx, marker, "deleting job "+job.ID, jetstream.WithExpectLastSequencePerSubject(job.Revision))
	return err
}

// DeleteKey deletes an idempotency key, if it names the job. It succeeds if there is
// none. ErrUnavailable.
func (s *Store) DeleteKey(ctx context.Context, key, jobID string) error {
	k, err := s.Key(ctx, key)
	if errors.Is(err, ErrNotFound) || err == nil && k.JobID != jobID {
		return nil
	}
	if err != nil {
		return err
	}
	err = s.ask(ctx, kind{stateStream, true}, func(ctx context.Context) error {
		// Up to this revision: a newer record of the key is of another job.
		return s.state.Purge(ctx, jetstream.WithPurgeSubject(keyPrefix+keyToken(key)), jetstream.WithPurgeSequence(k.Revision+1))
	})
	if err != nil {
		return wrap(ctx, err, "deleting the idempotency key of job "+jobID)
	}
	return nil
}
