package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

func TestReachable(t *testing.T) {
	srv := startExternalAt(t, server.RANDOM_PORT, t.TempDir())
	external := openTest(t, Options{URL: srv.ClientURL()})
	embedded := openTest(t, Options{})
	for name, s := range map[string]*Store{"embedded": embedded, "external": external} {
		if err := s.Reachable(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	srv.Shutdown()
	srv.WaitForShutdown()
	embedded.Close()
	for name, s := range map[string]*Store{"embedded, closed": embedded, "external, gone": external} {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := s.Reachable(ctx); !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: got %v, want ErrUnavailable", name, err)
		}
		cancel()
	}
}
