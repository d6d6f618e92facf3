// Package metadata keeps the meta-data of builds: keys and values that the jobs of
// a build leave for one another. A job and its retries are one build.
package metadata

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"maps"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

// Limits of a build's meta-data. It is one record, read and written as a whole,
// and must fit in one message of the store.
const (
	// MaxKey is the longest key, in bytes.
	MaxKey = 255
	// MaxValue is the longest value, in bytes.
	MaxValue = 100 << 10
	// MaxKeys is how many keys a build can have.
	MaxKeys = 1000
	// MaxSize bounds the keys and values of a build together, in bytes.
	MaxSize = 512 << 10
)

// Item is a key of a build's meta-data and its value.
type Item struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Store reads and writes meta-data. Its methods may be called concurrently.
type Store struct {
	st    *store.Store
	locks *keyLocks
}

// New returns a Store that keeps meta-data in st.
func New(st *store.Store) *Store { return &Store{st: st, locks: newKeyLocks()} }

// Set sets keys of a build's meta-data, all of them or none; of a key that occurs
// twice the last value is set. It returns once the values are stored.
// record.ErrInvalid, store.ErrTooLarge, store.ErrUnavailable.
//
// The writes of a build are serialized within a replica: a job may set many keys
// at once, and each write would fail the others' compare-and-set.
func (s *Store) Set(ctx context.Context, buildID string, items ...Item) error {
	if err := validate(items); err != nil || len(items) == 0 {
		return err
	}
	unlock, err := s.locks.lock(ctx, buildID)
	if err != nil {
		return fmt.Errorf("waiting to set meta-data: %w", err)
	}
	defer unlock()
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	for range store.MaxConflicts {
		m, err := s.read(ctx, buildID)
		if err != nil {
			return err
		}
		if m.Values, err = withItems(m.Values, items); err != nil {
			return err
		}
		if _, err = s.st.PutMetadata(ctx, buildID, m); !errors.Is(err, store.ErrConflict) {
			return err //nolint:wrapcheck // the store's errors say what was attempted
		}
	}
	// The jobs of a build run one after another, so this is unlikely.
	return fmt.Errorf("setting meta-data of build %s: too many conflicts: %w", buildID, store.ErrUnavailable)
}

// Value returns the value of a key. store.ErrNotFound, record.ErrInvalid,
// store.ErrUnavailable.
func (s *Store) Value(ctx context.Context, buildID, key string) (string, error) {
	if err := validateKey(key); err != nil {
		return "", err
	}
	m, err := s.read(ctx, buildID)
	if err != nil {
		return "", err
	}
	value, ok := m.Values[key]
	if !ok {
		return "", fmt.Errorf("meta-data key of build %s: %w", buildID, store.ErrNotFound)
	}
	return value, nil
}

// Keys returns the keys of a build's meta-data, sorted. store.ErrUnavailable.
func (s *Store) Keys(ctx context.Context, buildID string) ([]string, error) {
	m, err := s.read(ctx, buildID)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(m.Values)), nil
}

// read returns a build's meta-data, empty if there is none.
func (s *Store) read(ctx context.Context, buildID string) (record.Metadata, error) {
	m, err := s.st.Metadata(ctx, buildID)
	if errors.Is(err, store.ErrNotFound) {
		return record.Metadata{}, nil
	}
	return m, err //nolint:wrapcheck // the store's errors say what was attempted
}

// withItems returns a copy of values with items set.
func withItems(values map[string]string, items []Item) (map[string]string, error) {
	set := make(map[string]string, len(values)+len(items))
	maps.Copy(set, values)
	for _, item := range items {
		set[item.Key] = item.Value
	}
	size := 0
	for key, value := range set {
		size += len(key) + len(value)
	}
	switch {
	case len(set) > MaxKeys:
		return nil, record.Invalid("key", "is one too many: a build has at most %d keys", MaxKeys)
	case size > MaxSize:
		return nil, record.Invalid("value", "is too long: the meta-data of a build has at most %d bytes", MaxSize)
	}
	return set, nil
}

// validate returns an error for the first item that is not acceptable.
func validate(items []Item) error {
	for _, item := range items {
		if len(item.Value) > MaxValue {
			return record.Invalid("value", "must have at most %d bytes", MaxValue)
		}
		if err := validateKey(item.Key); err != nil {
			return err
		}
	}
	return nil
}

func validateKey(key string) error {
	if strings.TrimSpace(key) == "" || len(key) > MaxKey {
		return record.Invalid("key", "must have 1 to %d bytes, and not spaces alone", MaxKey)
	}
	return nil
}

// lockCount is how many keys can be locked at the same time.
const lockCount = 64

// keyLocks are locks by key. Two keys may share a lock.
type keyLocks struct {
	seed  maphash.Seed
	locks [lockCount]chan struct{}
}

func newKeyLocks() *keyLocks {
	l := &keyLocks{seed: maphash.MakeSeed()}
	for i := range l.locks {
		l.locks[i] = make(chan struct{}, 1)
	}
	return l
}

// lock waits for the lock of a key. It fails with the context's cause.
func (l *keyLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	lock := l.locks[maphash.String(l.seed, key)%lockCount]
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}
