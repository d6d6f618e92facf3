package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// An interruptedError is the cause of a context that a signal has ended.
type interruptedError struct{ signal syscall.Signal }

func (e interruptedError) Error() string { return fmt.Sprintf("interrupted by %v", e.signal) }

// interruptible ends the context at the first SIGINT or SIGTERM, and leaves the
// second to do what it does by default. The function it returns must be called.
func interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
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
			cancel(interruptedError{number})
		case <-ctx.Done():
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		cancel(nil)
		<-done
	}
}
