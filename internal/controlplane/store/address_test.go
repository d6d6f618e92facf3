package store

import (
	"context"
	"strings"
	"testing"
	"time"
)

func TestRedactURLs(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"nats://a:4222":                             "nats://a:4222",
		"nats://user:secret@a:4222":                 "nats://[REDACTED]@a:4222",
		"nats://secret@a:4222":                      "nats://[REDACTED]@a:4222",
		"tls://u:secret@a:1, nats://u:secret@b:2":   "tls://[REDACTED]@a:1,nats://[REDACTED]@b:2",
		"a:4222,user:secret@b:4222":                 "nats://a:4222,nats://[REDACTED]@b:4222",
		"nats://u:secret%zz@a":                      "[REDACTED]",
		"nats://a:1/path?password=secret#secret":    "nats://a:1",
		"nats://[::1]:4222,nats://u:secret@[::2]:1": "nats://[::1]:4222,nats://[REDACTED]@[::2]:1",
	} {
		if got := RedactURLs(in); got != want || strings.Contains(got, "secret") {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

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
