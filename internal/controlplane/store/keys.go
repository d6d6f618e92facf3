package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// Key is the stored record of an idempotency key. It is written before the job
// that it names, so that two submissions cannot both make one.
type Key struct {
	// JobID is the job that the key names. The job is there, or is about to be, or
	// never came to be because the process ended, or has expired.
	JobID string `json:"job_id"`
	// Over is set once the job has ended: should it not be there, it has expired.
	Over bool `json:"over,omitempty"`
	// StoredAt is the store's clock; a job's record outlives its key's storing by
	// Retention at least, so that a key older than that whose job is not there names
	// nothing any more.
	StoredAt time.Time `json:"-"`
	// Revision is what PutKey expects to replace; 0 is none.
	Revision uint64 `json:"-"`
}

// keySubject hides the key's text, which may be anything, behind its hash.
func keySubject(key string) string {
	hash := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// PutKey makes the key name k.JobID in the place of the record of k.Revision, or
// as a new one if that is 0. ErrConflict, ErrUnavailable.
func (s *Store) PutKey(ctx context.Context, key string, k Key) error {
	_, err := s.put(ctx, keyPrefix+keySubject(key), k, k.Revision, 0)
	return err
}

// Key reads what an idempotency key names. ErrNotFound, ErrUnavailable.
func (s *Store) Key(ctx context.Context, key string) (Key, error) {
	var k Key
	msg, err := s.get(ctx, s.state, keyPrefix, keySubject(key), &k)
	if err != nil {
		return Key{}, err
	}
	k.StoredAt, k.Revision = msg.Time, msg.Sequence
	return k, nil
}

// ExpireKey has the key forgotten after Retention, as its job is, if it still
// names that job. A key for which this is never called stays until it is used
// again, and is then found to name nothing. ErrConflict, ErrUnavailable.
func (s *Store) ExpireKey(ctx context.Context, key, jobID string) error {
	k, err := s.Key(ctx, key)
	if err != nil || k.JobID != jobID {
		return err
	}
	k.Over = true
	_, err = s.put(ctx, keyPrefix+keySubject(key), k, k.Revision, s.opts.Retention)
	return err
}

// Retention is how long a job is kept after its end.
func (s *Store) Retention() time.Duration { return s.opts.Retention }

// WorkerRetention is how long a worker is kept after it left.
func (s *Store) WorkerRetention() time.Duration { return s.opts.WorkerRetention }
