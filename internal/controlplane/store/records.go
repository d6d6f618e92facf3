package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// PutJob stores a job. It replaces the record of job.Revision, or creates one if
// that is 0, and returns the job with its new revision. A job that has ended
// expires after Retention. ErrConflict, ErrTooLarge, ErrUnavailable.
func (s *Store) PutJob(ctx context.Context, job Job) (Job, error) {
	var ttl time.Duration
	if job.State.Final() {
		ttl = s.opts.Retention
	}
	var err error
	job.Revision, err = s.put(ctx, jobPrefix+job.ID, job, job.Revision, ttl)
	return job, err
}

// Job returns a job. ErrNotFound, ErrUnavailable.
func (s *Store) Job(ctx context.Context, id string) (Job, error) {
	var job Job
	msg, err := s.get(ctx, s.state, jobPrefix, id, &job)
	if err != nil {
		return Job{}, err
	}
	job.Revision = msg.Sequence
	return job, nil
}

// PutWorker stores a worker. It replaces the record of worker.Revision, or creates
// one if that is 0, and returns the worker with its new revision. A worker that
// left expires after WorkerRetention. ErrConflict, ErrTooLarge, ErrUnavailable.
func (s *Store) PutWorker(ctx context.Context, worker Worker) (Worker, error) {
	var ttl time.Duration
	if worker.State != WorkerConnected {
		ttl = s.opts.WorkerRetention
	}
	var err error
	worker.Revision, err = s.put(ctx, workerPrefix+worker.ID, worker, worker.Revision, ttl)
	return worker, err
}

// Worker returns a worker. ErrNotFound, ErrUnavailable.
func (s *Store) Worker(ctx context.Context, id string) (Worker, error) {
	var worker Worker
	msg, err := s.get(ctx, s.state, workerPrefix, id, &worker)
	if err != nil {
		return Worker{}, err
	}
	worker.Revision = msg.Sequence
	return worker, nil
}

// Metadata is the stored record of a build's meta-data: what its jobs leave there
// for one another. It is a value; Values is never changed in place.
type Metadata struct {
	// Values are the values by their keys.
	Values map[string]string `json:"values"`
	// Revision is what PutMetadata expects to replace; 0 is none.
	Revision uint64 `json:"-"`
}

// PutMetadata stores a build's meta-data. It replaces the record of m.Revision, or
// creates one if that is 0, and returns it with its new revision. It expires
// Retention later. ErrConflict, ErrTooLarge, ErrUnavailable.
func (s *Store) PutMetadata(ctx context.Context, buildID string, m Metadata) (Metadata, error) {
	var err error
	m.Revision, err = s.put(ctx, dataPrefix+buildID, m, m.Revision, 0)
	return m, err
}

// Metadata returns a build's meta-data. ErrNotFound if there is none or it has
// expired, ErrUnavailable.
func (s *Store) Metadata(ctx context.Context, buildID string) (Metadata, error) {
	var m Metadata
	msg, err := s.get(ctx, s.data, dataPrefix, buildID, &m)
	if err != nil {
		return Metadata{}, err
	}
	m.Revision = msg.Sequence
	return m, nil
}

// put stores a record if expected is the sequence of the present one; 0 is none.
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
		return 0, wrap(err, doing)
	}
	return ack.Sequence, nil
}

// get reads a record. An ID that no record can have is not found.
func (*Store) get(ctx context.Context, stream jetstream.Stream, prefix, id string, record any) (*jetstream.RawStreamMsg, error) {
	subject := prefix + id
	doing := "reading " + subject
	if !validID(id) {
		return nil, fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	msg, err := stream.GetLastMsgForSubject(ctx, subject)
	if err != nil {
		return nil, wrap(err, doing)
	}
	if err := json.Unmarshal(msg.Data, record); err != nil {
		return nil, fmt.Errorf("%s: the record is damaged: %w", doing, err)
	}
	return msg, nil
}

// maxID bounds an ID in a subject, in bytes; ours have 36 to 43.
const maxID = 64

// validID reports whether id has only letters, digits, hyphens and underscores:
// what callers send as an ID must not be a pattern or a longer subject.
func validID(id string) bool {
	if id == "" || len(id) > maxID {
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
