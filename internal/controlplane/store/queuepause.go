package store

import (
	"context"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// PutQueuePause stores the pause of a queue. It replaces the record of p.Revision, or
// creates one if that is 0, and returns it with its new revision. That of a queue which
// was resumed expires after WorkerRetention. ErrConflict, ErrUnavailable.
func (s *Store) PutQueuePause(ctx context.Context, p record.QueuePause) (record.QueuePause, error) {
	var ttl time.Duration
	if !p.Paused {
		ttl = s.opts.WorkerRetention
	}
	var err error
	p.Revision, err = s.put(ctx, queuePrefix+keyToken(p.Queue), p, p.Revision, ttl)
	return p, err
}

// QueuePause returns the pause of a queue. ErrNotFound, ErrUnavailable.
func (s *Store) QueuePause(ctx context.Context, queue string) (record.QueuePause, error) {
	p, at, err := get[record.QueuePause](ctx, s, s.state, queuePrefix, keyToken(queue))
	p.Revision = at.revision
	return p, err
}
