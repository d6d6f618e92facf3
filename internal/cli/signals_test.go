package cli

import (
	"context"
	"errors"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("os/signal.signal_recv"), goleak.IgnoreTopFunction("os/signal.loop"))
}

// TestInterruptibleWithoutSignal checks that the context ends with its parent, and
// that the returned function ends the goroutine.
func TestInterruptibleWithoutSignal(t *testing.T) {
	parent, cancel := context.WithCancel(t.Context())
	ctx, stop := Interruptible(parent)
	cancel()
	<-ctx.Done()
	stop()
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		t.Errorf("the cause is %v", cause)
	}
}
