package store

import (
	"context"
	"strings"
	"testing"
	"time"
)

// TestErrorHasNoPassword connects to a server that is not there.
func TestErrorHasNoPassword(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := Open(ctx, Options{URL: "nats://admin:hunter2secret@127.0.0.1:1,nats://hunter2secret@127.0.0.1:2"})
	if err == nil || strings.Contains(err.Error(), "hunter2secret") || !strings.Contains(err.Error(), "127.0.0.1:2") {
		t.Errorf("the error is %v, want one with the addresses and without the password", err)
	}
}
