package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// PutJob stores a job. It replaces the record of job.Revision, or creates one if
// that is 0, and returns the job with its new revision. A job that has ended
// expires after Retention, counted from its end also where its log has changed since, or
// it was retried. ErrConflict, ErrTooLarge, ErrUnavailable; ErrLimit for a new job if there is
// little room left, so that the jobs that exist can end.
func (s *Store) PutJob(ctx context.Context, job record.Job) (record.Job, error) {
	if job.Revision == 0 {
		if err := s.Admit(ctx); err != nil {
			return job, fmt.Errorf("storing %s%s: %w", jobPrefix, job.ID, err)
		}
	}
	var ttl time.Duration
	if job.State.Final() {
		ttl = s.opts.Retention
		if job.RetryStored || !job.Log.IsZero() {
			var err error
			if ttl, err = s.timeLeft(ctx, job.ID); err != nil {
				return job, err
			}
		}
	}
	msg, err := JobMessage(job, ttl)
	if err != nil {
		return job, err
	}
	created := job.Revision == 0
	if created {
		s.emptyLogs.begin(job.ID)
	}
	s.writing.begin(job, msg.Data)
	defer s.writing.end(job.ID)
	job.Revision, err = s.replace(ctx, msg, job.Revision)
	switch {
	case created && err == nil:
		s.emptyLogs.stored(job.ID)
	case created, job.State.Final():
		s.emptyLogs.forget(job.ID)
	}
	return job, err
}

// timeLeft returns how long the stored record of a job is still kept, Retention if it
// does not expire. Both moments are by the store's clock. ErrUnavailable.
func (s *Store) timeLeft(ctx context.Context, id string) (time.Duration, error) {
	doing := "reading how long job " + id + " is kept"
	msg, err := s.last(ctx, s.state, jobPrefix+id)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return s.opts.Retention, nil
	}
	if err != nil {
		return 0, wrap(ctx, err, doing)
	}
	ttl, err := time.ParseDuration(msg.Header.Get(jetstream.MsgTTLHeader))
	if err != nil {
		return s.opts.Retention, nil //nolint:nilerr // it does not expire yet
	}
	info, err := s.stateInfo(ctx, doing)
	if err != nil {
		return 0, err
	}
	return max(minRetention, ttl-info.TimeStamp.Sub(msg.Time)), nil
}

// Job returns a job. ErrNotFound, ErrUnavailable.
func (s *Store) Job(ctx context.Context, id string) (record.Job, error) {
	job, at, err := get[record.Job](ctx, s, s.state, jobPrefix, id)
	job.Revision = at.revision
	return job, err
}

// PutWorker stores a worker. It replaces the record of worker.Revision, or creates
// one if that is 0, and returns the worker with its new revision. A worker that
// left expires after WorkerRetention. ErrConflict, ErrTooLarge, ErrUnavailable.
func (s *Store) PutWorker(ctx context.Context, worker record.Worker) (record.Worker, error) {
	var ttl time.Duration
	if !worker.State.Connected() {
		ttl = s.opts.WorkerRetention
	}
	var err error
	worker.Revision, err = s.put(ctx, workerPrefix+worker.ID, worker, worker.Revision, ttl)
	return worker, err
}

// Worker returns a worker. ErrNotFound, ErrUnavailable.
func (s *Store) Worker(ctx context.Context, id string) (record.Worker, error) {
	worker, at, err := get[record.Worker](ctx, s, s.state, workerPrefix, id)
	worker.Revision = at.revision
	return worker, err
}

// Position returns the revision of the newest record of jobs and workers that the
// store has applied: a record of an older revision that is not found is gone.
// ErrUnavailable.
func (s *Store) Position(ctx context.Context) (uint64, error) {
	info, err := s.stateInfo(ctx, "reading the position of the store")
	if err != nil {
		return 0, err
	}
	return info.State.LastSeq, nil
}

// stateInfo returns what the server says of the stream of the state now. doing is what is
// attempted. ErrUnavailable.
func (s *Store) stateInfo(ctx context.Context, doing string) (*jetstream.StreamInfo, error) {
	return s.info(ctx, s.state, doing)
}

// PutMetadata stores a build's meta-data. It replaces the record of m.Revision, or
// creates one if that is 0, and returns it with its new revision. It expires
// Retention later. ErrConflict, ErrTooLarge, ErrUnavailable.
func (s *Store) PutMetadata(ctx context.Context, buildID string, m record.Metadata) (record.Metadata, error) {
	var err error
	m.Revision, err = s.put(ctx, dataPrefix+buildID, &m, m.Revision, 0)
	return m, err
}

// Metadata returns a build's meta-data. ErrNotFound if there is none or it has
// expired, ErrUnavailable.
func (s *Store) Metadata(ctx context.Context, buildID string) (record.Metadata, error) {
	m, at, err := get[record.Metadata](ctx, s, s.data, dataPrefix, buildID)
	m.Revision = at.revision
	return m, err
}

// put stores a record if expected is the sequence of the present one; 0 is none.
func (s *Store) put(ctx context.Context, subject string, value any, expected uint64, ttl time.Duration) (uint64, error) {
	data, err := record.Encode(value)
	if err != nil {
		return 0, fmt.Errorf("storing %s: %w", subject, err)
	}
	msg := nats.NewMsg(subject)
	msg.Data = data
	setTTL(msg, ttl)
	return s.replace(ctx, msg, expected)
}

// replace stores a record's message if expected is the sequence of the present one of
// its subject; 0 is none.
func (s *Store) replace(ctx context.Context, msg *nats.Msg, expected uint64) (uint64, error) {
	s.admission.stored(len(msg.Data))
	doing := "storing " + msg.Subject
	if streamOf(msg.Subject) != stateStream {
		ack, err := s.write(ctx, msg, doing, jetstream.WithExpectLastSequencePerSubject(expected))
		if err != nil {
			return 0, err
		}
		return ack.Sequence, nil
	}
	if msg.Header == nil {
		msg.Header = nats.Header{}
	}
	msg.Header.Set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(expected, 10))
	sequence, err := s.group.write(ctx, msg)
	if err != nil {
		return 0, wrap(ctx, err, doing)
	}
	return sequence, nil
}

// setTTL has a message expire after ttl, in whole seconds; 0 is never.
func setTTL(msg *nats.Msg, ttl time.Duration) {
	if ttl > 0 {
		msg.Header.Set(jetstream.MsgTTLHeader, ttl.Truncate(time.Second).String())
	}
}

// stamp is the revision and the time of a stored message.
type stamp struct {
	revision uint64
	at       time.Time
}

// get reads a record. An ID that no record can have is not found.
func get[T any](ctx context.Context, s *Store, stream jetstream.Stream, prefix, id string) (value T, at stamp, err error) {
	doing := "reading " + prefix + id
	if !validID(id) {
		return value, at, fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	msg, err := s.last(ctx, stream, prefix+id)
	if err != nil {
		return value, at, wrap(ctx, err, doing)
	}
	if len(msg.Data) == 0 { // a marker
		return value, at, fmt.Errorf("%s: %w", doing, ErrNotFound)
	}
	value, err = decode[T](msg.Data, doing)
	return value, stamp{msg.Sequence, msg.Time}, err
}

// last returns the last message of a subject. It returns the errors of NATS.
func (s *Store) last(ctx context.Context, stream jetstream.Stream, subject string) (msg *jetstream.RawStreamMsg, err error) {
	err = s.ask(ctx, kind{stream: nameOf(stream)}, func(ctx context.Context) (err error) {
		msg, err = stream.GetLastMsgForSubject(ctx, subject)
		return err //nolint:wrapcheck // the caller wraps it
	})
	return msg, err
}

// info returns what the server says of a stream now. doing is what is attempted.
// ErrUnavailable.
func (s *Store) info(ctx context.Context, stream jetstream.Stream, doing string, opts ...jetstream.StreamInfoOpt) (
	info *jetstream.StreamInfo, err error,
) {
	err = s.ask(ctx, kind{stream: nameOf(stream)}, func(ctx context.Context) (err error) {
		info, err = stream.Info(ctx, opts...)
		return err //nolint:wrapcheck // wrapped below
	})
	if err != nil {
		return nil, wrap(ctx, err, doing)
	}
	return info, nil
}

// nameOf returns the name of a stream.
func nameOf(stream jetstream.Stream) string { return stream.CachedInfo().Config.Name }

// decode returns the record that data holds.
func decode[T any](data []byte, doing string) (value T, err error) {
	if err := record.Decode(data, &value); err != nil {
		var none T
		return none, fmt.Errorf("%s: the record is damaged: %w", doing, err)
	}
	return value, nil
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
