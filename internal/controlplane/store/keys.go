package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"sync"
	"time"
)

// Key is the stored record of an idempotency key. It is written before the job
// that it names, so that two submissions cannot both create one.
type Key struct {
	// JobID is the job that the key names. The job may not exist: it is about to be
	// stored, the process died before it was stored, or it has expired.
	JobID string `json:"job_id"`
	// Over is set once the job has ended: a missing job has then expired.
	Over bool `json:"over,omitempty"`
	// StoredAt is the store's clock. A job is kept for at least Retention after its
	// key was stored, so an older key without a job names nothing any more.
	StoredAt time.Time `json:"-"`
	// Revision is what PutKey expects to replace; 0 is none.
	Revision uint64 `json:"-"`
}

// keyToken returns the hash of a key, because the text of a key may be anything.
func keyToken(key string) string {
	hash := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(hash[:])
}

// maxKeyRevisions bounds of how many live jobs the revision of their key is remembered.
const maxKeyRevisions = 64 << 10

// keyRevisions are the revisions of the idempotency keys that this process has stored, by
// the job that they name, until the job has ended. The expiry of a key needs not read the
// store for it then. Its methods may be called concurrently.
type keyRevisions struct {
	mu   sync.Mutex
	jobs map[string]uint64
}

// put notes the revision of the key of a job. Another one is forgotten for it if there are
// too many.
func (r *keyRevisions) put(jobID string, revision uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.jobs == nil {
		r.jobs = map[string]uint64{}
	}
	if len(r.jobs) >= maxKeyRevisions {
		for other := range r.jobs {
			delete(r.jobs, other)
			break
		}
	}
	r.jobs[jobID] = revision
}

// take returns the revision of the key of a job, which has ended, and forgets it.
func (r *keyRevisions) take(jobID string) (revision uint64, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	revision, known = r.jobs[jobID]
	delete(r.jobs, jobID)
	return revision, known
}

// PutKey makes the key name k.JobID. It replaces the record of k.Revision, or
// creates one if that is 0. ErrConflict, ErrUnavailable.
func (s *Store) PutKey(ctx context.Context, key string, k Key) error {
	revision, err := s.put(ctx, keyPrefix+keyToken(key), k, k.Revision, 0)
	if err == nil {
		s.keyRevisions.put(k.JobID, revision)
	}
	return err
}

// Key returns the record of an idempotency key. ErrNotFound, ErrUnavailable.
func (s *Store) Key(ctx context.Context, key string) (Key, error) {
	k, at, err := get[Key](ctx, s, s.state, keyPrefix, keyToken(key))
	k.StoredAt, k.Revision = at.at, at.revision
	return k, err
}

// KeyIsCurrent reports whether a key, whose job does not exist, is of a job that is
// about to be stored: the job has not ended, and the key was stored within
// Retention. Both moments are by the store's clock. ErrUnavailable.
func (s *Store) KeyIsCurrent(ctx context.Context, k Key) (bool, error) {
	if k.Over {
		return false, nil
	}
	info, err := s.stateInfo(ctx, "reading the clock of the store")
	if err != nil {
		return false, err
	}
	return info.TimeStamp.Sub(k.StoredAt) <= s.opts.Retention, nil
}

// ExpireKey has the key expire after Retention, as its job does, if it still names
// that job. A key for which this is never called is kept until it is used again,
// and is then found to name nothing. ErrConflict, ErrUnavailable.
func (s *Store) ExpireKey(ctx context.Context, key, jobID string) error {
	if revision, known := s.keyRevisions.take(jobID); known {
		err := s.expireKey(ctx, key, Key{JobID: jobID, Revision: revision})
		if !errors.Is(err, ErrConflict) {
			return err
		}
	}
	k, err := s.Key(ctx, key)
	if err != nil || k.JobID != jobID {
		return err
	}
	return s.expireKey(ctx, key, k)
}

func (s *Store) expireKey(ctx context.Context, key string, k Key) error {
	k.Over = true
	_, err := s.put(ctx, keyPrefix+keyToken(key), k, k.Revision, s.opts.Retention)
	return err
}
