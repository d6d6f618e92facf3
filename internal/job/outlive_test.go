package job

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestLinger(t *testing.T) {
	t.Parallel()
	const (
		timeout = time.Hour
		leave   = 10 * time.Second
	)
	tests := []struct {
		name   string
		cause  error         // nil: the job is not canceled
		after  time.Duration // when; 0: before the call
		lasted time.Duration
	}{
		{"not canceled", nil, 0, timeout},
		{"canceled", ErrCanceled, 0, timeout},
		{"timed out", ErrTimedOut, time.Minute, timeout},
		{"token", ErrTokenInvalid, time.Minute, timeout},
		{"agent stops, before", ErrAgentStop, 0, leave},
		{"agent stops, later", ErrAgentStop, time.Minute, time.Minute + leave},
		{"another cause is the agent's", errors.New("power"), 0, leave},
		{"agent stops at the very end", ErrAgentStop, timeout - time.Second, timeout},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				switch {
				case tt.cause != nil && tt.after == 0:
					cancel(tt.cause)
				case tt.cause != nil:
					time.AfterFunc(tt.after, func() { cancel(tt.cause) })
				}
				began := time.Now()
				lingering, stop := outlive(ctx, timeout, leave)
				defer stop()
				<-lingering.Done()
				if lasted := time.Since(began); lasted != tt.lasted {
					t.Errorf("lasted %v, want %v", lasted, tt.lasted)
				}
			})
		})
	}
}
