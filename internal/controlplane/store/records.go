package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// PutJob stores a job in the place of the record of job.Revision, or as a new
// one if that is 0, and answers with it and its new revision. A job that has
// ended expires after Retention. ErrConflict, ErrTooLarge, ErrUnavailable.
func (s *Store) PutJob(ctx context.Context, job Job) (Job, error) {
	var ttl time.Duration
	if job.State.Final() {
		ttl = s.opts.Retention
	}
	var err error
	job.Revision, err = s.put(ctx, jobPrefix+job.ID, job, job.Revision, ttl)
	return job, err
}

// Job reads a job. ErrNotFound, ErrUnavailable.
func (s *Store) Job(ctx context.Context, id string) (Job, error) {
	var job Job
	msg, err := s.get(ctx, s.state, jobPrefix, id, &job)
	if err != nil {
		return Job{}, err
	}
	job.Revision = msg.Sequence
	return job, nil
}

// PutWorker stores a worker in the place of the record of worker.Revision, or as a
// new one if that is 0, and answers with it and its new revision. A worker that
// has left expires after WorkerRetention. ErrConflict, ErrTooLarge,
// ErrUnavailable.
func (s *Store) PutWorker(ctx context.Context, worker Worker) (Worker, error) {
	var ttl time.Duration
	if worker.State != WorkerConnected {
		ttl = s.opts.WorkerRetention
	}
	var err error
	worker.Revision, err = s.put(ctx, workerPrefix+worker.ID, worker, worker.Revision, ttl)
	return worker, err
}

// Worker reads a worker. ErrNotFound, ErrUnavailable.
func (s *Store) Worker(ctx context.Context, id string) (Worker, error) {
	var worker Worker
	msg, err := s.get(ctx, s.state, workerPrefix, id, &worker)
	if err != nil {
		return Worker{}, err
	}
	worker.Revision = msg.Sequence
	return worker, nil
}

// put is the one compare-and-set.
func (s *Store) put(ctx context.Context, subject string, record any, expected uint64, ttl time.Duration) (uint64, error) {
	doing := "storing " + subject
	data, err := json.Marshal(record)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", doing, err)
	}
	opts := []jetstream.PublishOpt{jetstream.WithExpectLastSequencePerSubject(expected)}
	if ttl > 0 {
		opts = append(opts, jetstream.WithMsgTTL(ttl.Truncate(time.Second)))
	}
	ack, err := s.js.Publish(ctx, subject, data, opts...)
	if err != nil {
		return 0, failed(err, doing)
	}
	return ack.Sequence, nil
}

// get is the one read of a record. It keeps to ids: see validToken.
func (*Store) get(ctx context.Context, stream jetstream.Stream, prefix, id string, record any) (*jetstream.RawStreamMsg, error) {
	subject := prefix + id
	doing := "reading " + subject
	if !validToken(id) {
		return nil, fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	msg, err := stream.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return nil, failed(err, doing)
	}
	if err := json.Unmarshal(msg.Data, record); err != nil {
		return nil, fmt.Errorf("%s: the record is damaged: %w", doing, err)
	}
	return msg, nil
}

// maxToken bounds an id in a subject; ours are 36 to 43 bytes.
const maxToken = 64

// validToken keeps what callers send as an id from being a pattern or a longer
// subject: letters, digits, hyphen and underscore only.
func validToken(id string) bool {
	if id == "" || len(id) > maxToken {
		return false
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}
