package store

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// ChangeKind is the kind of record that was stored.
type ChangeKind int

// The kinds of change.
const (
	// JobStored is a job's record.
	JobStored ChangeKind = iota + 1
	// WorkerStored is a worker's record.
	WorkerStored
	// QueuePauseStored is the pause of a queue.
	QueuePauseStored
	// JobDeleted is the marker of a job that was deleted.
	JobDeleted
	// OtherStored is any other record: only its revision matters, which is the
	// position of the watch.
	OtherStored
)

// Change is one stored record. It is decoded on demand, because most changes are
// the watcher's own.
type Change struct {
	Kind ChangeKind
	// ID is the ID of the job or worker, or the hash of the name of the queue.
	ID string
	// Revision is the sequence of the message; it grows from change to change.
	Revision uint64
	// StoredAt is the store's clock.
	StoredAt time.Time

	data    []byte
	summary string
	writing *writing // nil for a record that is decoded
}

// Summary returns the summary of the JobStored of a job that has ended and is not
// retried. It is not known for a record that an older version stored.
func (c Change) Summary() (s record.Summary, known bool) {
	if s, known = decodeSummary(c.summary); known {
		s.ID, s.Revision = c.ID, c.Revision
	}
	return s, known
}

// Job returns the record of a JobStored.
func (c Change) Job() (record.Job, error) {
	if c.writing != nil {
		if job, found := c.writing.find(c.ID, c.data); found {
			job.Revision = c.Revision
			return job, nil
		}
	}
	job, err := decode[record.Job](c.data, "reading job "+c.ID)
	job.Revision = c.Revision
	return job, err
}

// QueuePause returns the record of a QueuePauseStored.
func (c Change) QueuePause() (record.QueuePause, error) {
	p, err := decode[record.QueuePause](c.data, "reading the pause of a queue")
	p.Revision = c.Revision
	return p, err
}

// Worker returns the record of a WorkerStored.
func (c Change) Worker() (record.Worker, error) {
	worker, err := decode[record.Worker](c.data, "reading worker "+c.ID)
	worker.Revision = c.Revision
	return worker, err
}

const (
	// watchMessages and watchBytes bound what the watch of the state requests in
	// advance. A record has up to 1 MiB, the largest message of the store.
	watchMessages = 500
	watchBytes    = 4 << 20
	// followMessages and followBytes bound the same for a reader of a log, who may
	// stop reading: up to twice followBytes wait for it. A chunk has up to 512 KiB, and
	// some more in its header.
	followMessages = 64
	followBytes    = 640 << 10
)

// Watch calls handle with every record of the state stream that was stored after a
// position, in the order of storing, from one goroutine: the present records, then
// each new one, those of this process included. A record that is replaced meanwhile
// may be left out. It returns the context's error, or ErrUnavailable if the store was
// closed; a lost connection that comes back does not end it. Position 0 is the
// beginning; Load returns one.
func (s *Store) Watch(ctx context.Context, position uint64, handle func(Change)) error {
	w := reading{stream: stateStream, after: position, ahead: readAhead{watchMessages, watchBytes}}
	return s.read(ctx, w, func(uint64) {}, func(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
		c := change(msg.Subject(), meta.Sequence.Stream, meta.Timestamp, msg.Data(), msg.Headers().Get(summaryHeader))
		c.writing = &s.writing
		handle(c)
		return true
	})
}

// change returns the change that a message is. Data is nil where only the headers were
// read; the kind of a job without a summary then has no meaning.
func change(subject string, revision uint64, storedAt time.Time, data []byte, summary string) Change {
	c := Change{Kind: OtherStored, Revision: revision, StoredAt: storedAt, data: data}
	if id, ok := strings.CutPrefix(subject, jobPrefix); ok {
		c.Kind, c.ID, c.summary = JobStored, id, summary
		if len(data) == 0 && summary == "" {
			c.Kind = JobDeleted
		}
	} else if id, ok := strings.CutPrefix(subject, workerPrefix); ok {
		c.Kind, c.ID = WorkerStored, id
	} else if id, ok := strings.CutPrefix(subject, queuePrefix); ok {
		c.Kind, c.ID = QueuePauseStored, id
	}
	return c
}
