package redact

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
)

const (
	// Minimum is the length of the shortest secret that is hidden, in bytes.
	// Existing agents use the same value.
	Minimum = 6
	// MaxForms is the largest number of strings in one set: all forms of all
	// secrets. A secret of one line has ten if it has only letters and digits, and about
	// forty if it has characters that most tools escape, so there is room for 500 to 2,000.
	// It bounds the memory that a job can make its agent use.
	MaxForms = 20_000
)

// ErrTooMany is returned by Add when the set would exceed [MaxForms].
var ErrTooMany = errors.New("too many secrets")

// Secrets is a set of secrets to hide, shared by any number of Writers. The zero
// value is an empty set. Its methods may be called concurrently.
type Secrets struct {
	// build returns the set, which it builds when it is called first: a job that writes
	// nothing needs none. It is nil while the set is empty.
	build atomic.Pointer[func() (*set, error)]

	mu    sync.Mutex
	forms map[string]struct{} // the strings of the set
}

// Add adds secrets. Every Writer of the set hides them in what is written from
// now on and in what it holds back. Secrets that are [TooShort] are ignored. On
// error, which may be [ErrTooMany], none is added.
func (s *Secrets) Add(secrets ...string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]struct{}{}
	for _, secret := range secrets {
		for _, form := range forms(secret) {
			if _, known := s.forms[form]; !known {
				all[form] = struct{}{}
			}
		}
	}
	if len(all) == 0 {
		return nil
	}
	if len(s.forms)+len(all) > MaxForms {
		return fmt.Errorf("redact: %w: at most %d strings, ten to forty for each secret", ErrTooMany, MaxForms)
	}
	maps.Copy(all, s.forms)
	s.forms = all // not changed from now on
	build := sync.OnceValues(func() (*set, error) { return newSet(all) })
	s.build.Store(&build)
	return nil
}

// current returns the set, or nil while it is empty.
func (s *Secrets) current() (*set, error) {
	build := s.build.Load()
	if build == nil {
		return nil, nil //nolint:nilnil // an empty set is not an error
	}
	return (*build)()
}
