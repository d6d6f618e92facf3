package store

import (
	"context"
	"errors"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// loadMessages and loadBytes bound what Load requests in advance: headers only.
	loadMessages = 4000
	loadBytes    = 4 << 20
	// loadRecords and loadRecordBytes bound how many records Load reads at a time, and
	// their size.
	loadRecords     = 256
	loadRecordBytes = 4 << 20
)

// errLoaded ends the reader of Load.
var errLoaded = errors.New("everything was read")

// Load calls handle with every job and worker that is stored, in any order, from one
// goroutine. Of a job that has ended and is not retried the change has the summary
// only, so that a million kept jobs are not decoded. It returns the position from
// which Watch continues: every record up to it was passed to handle, or is replaced by
// a later one. ErrUnavailable, or the context's error.
func (s *Store) Load(ctx context.Context, handle func(Change)) (position uint64, err error) {
	info, err := s.stateInfo(ctx, "reading the state")
	if err != nil {
		return 0, err
	}
	loading, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	l := loader{s: s, handle: handle}
	r := reading{stream: stateStream, headersOnly: true, ahead: readAhead{loadMessages, loadBytes}}
	err = s.read(loading, r, func(pending uint64) {
		if pending == 0 {
			stop(errLoaded)
		}
	}, func(msg jetstream.Msg, meta *jetstream.MsgMetadata) bool {
		// The copy of the stream that is read can be behind its leader, or before it.
		position = min(meta.Sequence.Stream, info.State.LastSeq)
		return l.add(ctx, msg, meta) == nil
	})
	if l.err == nil && !errors.Is(err, errLoaded) {
		l.err = err
	}
	if l.err == nil {
		l.err = l.flush(ctx)
	}
	return position, l.err
}

// loader reads the records that have no summary, several at a time.
type loader struct {
	s        *Store
	handle   func(Change)
	subjects []string
	size     int // of the records of subjects
	err      error
}

// add takes a message without its data.
func (l *loader) add(ctx context.Context, msg jetstream.Msg, meta *jetstream.MsgMetadata) error {
	c := change(msg.Subject(), meta.Sequence.Stream, meta.Timestamp, nil, msg.Headers().Get(summaryHeader))
	if _, known := c.Summary(); known {
		l.handle(c)
		return nil
	}
	if c.Kind == OtherStored {
		return nil
	}
	size, _ := strconv.Atoi(msg.Headers().Get(nats.MsgSize)) // the server sets it
	l.subjects = append(l.subjects, msg.Subject())
	if l.size += size; len(l.subjects) == loadRecords || l.size >= loadRecordBytes {
		l.err = l.flush(ctx)
	}
	return l.err
}

// flush reads the records, as they are now. One that is gone has expired, or will be
// read by Watch.
func (l *loader) flush(ctx context.Context) error {
	err := l.s.readMany(ctx, l.subjects, func(msg *jetstream.RawStreamMsg) {
		l.handle(change(msg.Subject, msg.Sequence, msg.Time, msg.Data, ""))
	})
	l.subjects, l.size = l.subjects[:0], 0
	return err
}
