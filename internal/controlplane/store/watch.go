package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/zap"
)

// ChangeKind is the kind of record that was stored.
type ChangeKind int

// The kinds of change that a watch gives.
const (
	// JobStored is a job's record.
	JobStored ChangeKind = iota + 1
	// WorkerStored is a worker's record.
	WorkerStored
	// OtherStored is a record that watchers have no use for; it is given because
	// its revision says how far the watch has come.
	OtherStored
)

// Change is one stored record, as a watch gives it. It is decoded only when it is
// asked for, because most are the watcher's own.
type Change struct {
	Kind ChangeKind
	// ID is that of the job or worker.
	ID string
	// Revision is the sequence of the message; it grows from change to change.
	Revision uint64
	// StoredAt is the store's clock.
	StoredAt time.Time

	data []byte
}

// Job decodes the record of a JobStored.
func (c Change) Job() (Job, error) {
	var job Job
	if err := json.Unmarshal(c.data, &job); err != nil {
		return Job{}, fmt.Errorf("the record of job %s is damaged: %w", c.ID, err)
	}
	job.Revision = c.Revision
	return job, nil
}

// Worker decodes the record of an WorkerStored.
func (c Change) Worker() (Worker, error) {
	var worker Worker
	if err := json.Unmarshal(c.data, &worker); err != nil {
		return Worker{}, fmt.Errorf("the record of worker %s is damaged: %w", c.ID, err)
	}
	worker.Revision = c.Revision
	return worker, nil
}

// watchInactive is how long the server keeps a reader's place when the reader is
// gone.
const watchInactive = 30 * time.Second

// forgetTimeout bounds the removal of a reader, which is a courtesy: whoever leaves
// must not wait for a server that is gone.
const forgetTimeout = 2 * time.Second

// watchBatch is how many messages a reader has on their way to it.
const watchBatch = 500

// Watch gives every record of the state stream to handle, in the order of
// storing, from one goroutine: first those that are there, then each as it is
// stored, also by this process. caughtUp is closed when those that were there
// have been given. A record that is replaced before it was given may be left
// out. It returns the context's error, or ErrUnavailable when the store was
// closed; a connection that is lost and comes back does not end it.
func (s *Store) Watch(ctx context.Context, caughtUp chan<- struct{}, handle func(Change)) error {
	return s.read(ctx, stateStream, statePrefix+">", func(pending uint64) {
		if pending == 0 && caughtUp != nil {
			close(caughtUp)
			caughtUp = nil
		}
	}, func(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
		handle(change(msg, meta))
		return true
	})
}

func change(msg jetstream.Msg, meta *jetstream.MsgMetadata) Change {
	c := Change{Kind: OtherStored, Revision: meta.Sequence.Stream, StoredAt: meta.Timestamp, data: msg.Data()}
	if id, ok := strings.CutPrefix(msg.Subject(), jobPrefix); ok {
		c.Kind, c.ID = JobStored, id
	} else if id, ok := strings.CutPrefix(msg.Subject(), workerPrefix); ok {
		c.Kind, c.ID = WorkerStored, id
	}
	return c
}

// read gives the messages of a subject from the first, in order, until handle
// answers false, the context ends or the store is closed. pending is told how
// many more are there, at first and after each.
func (s *Store) read(ctx context.Context, stream, subject string, pending func(uint64),
	handle func(jetstream.Msg, *jetstream.MsgMetadata) bool,
) error {
	doing := "reading " + subject
	consumer, err := s.js.OrderedConsumer(ctx, stream, jetstream.OrderedConsumerConfig{
		FilterSubjects:    []string{subject},
		InactiveThreshold: watchInactive,
	})
	if err != nil {
		return failed(err, doing)
	}
	name := consumer.CachedInfo().Name
	pending(consumer.CachedInfo().NumPending)
	messages, err := consumer.Messages(jetstream.PullMaxMessages(watchBatch))
	if err != nil {
		return failed(err, doing)
	}
	defer func() {
		messages.Stop()
		s.forget(stream, name)
	}()
	for {
		msg, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return s.readFailed(ctx, err, doing)
		}
		meta, err := msg.Metadata()
		if err != nil {
			return failed(err, doing)
		}
		if !handle(msg, meta) {
			return nil
		}
		pending(meta.NumPending)
	}
}

func (s *Store) readFailed(ctx context.Context, err error, doing string) error {
	if ctx.Err() != nil {
		return fmt.Errorf("%s: %w", doing, context.Cause(ctx))
	}
	return failed(err, doing)
}

// forget removes a reader's place from the server, which would otherwise keep it
// for watchInactive. The place has another name if the reader had to begin anew;
// that one is left to its time, and so is every one while the server is out of reach.
func (s *Store) forget(stream, name string) {
	if !s.nc.IsConnected() {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), forgetTimeout)
	defer cancel()
	err := s.js.DeleteConsumer(ctx, stream, name)
	if err != nil && !errors.Is(err, jetstream.ErrConsumerNotFound) && !s.nc.IsClosed() {
		s.opts.Logger.Debug("removing a reader", zap.String("stream", stream), zap.Error(err))
	}
}
