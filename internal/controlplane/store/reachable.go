package store

import (
	"context"
)

// Reachable asks the store whether it can be used: whether the stream that jobs
// are in has a leader, which answers. ErrUnavailable, or the context's error.
func (s *Store) Reachable(ctx context.Context) error {
	if _, err := s.state.Info(ctx); err != nil {
		return failed(err, "asking the store")
	}
	return nil
}
