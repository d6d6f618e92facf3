package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// InterruptedError is the cause of a context that a signal has ended.
type InterruptedError struct{ Signal syscall.Signal }

func (e InterruptedError) Error() string { return fmt.Sprintf("interrupted by %v", e.Signal) }

// Interruptible returns a context that ends at the first SIGINT or SIGTERM, with
// an InterruptedError as its cause. A second signal does what it does by default.
// The caller must call the returned function.
func Interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case received := <-signals:
			signal.Stop(signals)
			number, _ := received.(syscall.Signal)
			cancel(InterruptedError{number})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
		<-done
	}
}
