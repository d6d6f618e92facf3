package cli

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// InterruptedError is the cause of a context that a signal has ended.
type InterruptedError struct{ Signal syscall.Signal }

func (e InterruptedError) Error() string { return "interrupted by " + signalName(e.Signal) }

// Interruptible returns a context that ends at the first SIGINT, SIGTERM or SIGHUP, with
// an InterruptedError as its cause. A second signal does what it does by default. A
// SIGHUP that is ignored, as with nohup, is ignored here too. The caller must call the
// returned function.
func Interruptible(ctx context.Context) (context.Context, context.CancelFunc) {
	stopping := []os.Signal{syscall.SIGINT, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		stopping = append(stopping, syscall.SIGHUP)
	}
	return interruptible(ctx, stopping...)
}

// Starting is Interruptible for a daemon that is starting: each signal that stops the
// daemon ends the context. In a service, SIGHUP does nothing yet.
func Starting(ctx context.Context) (context.Context, context.CancelFunc) {
	stopping := append([]os.Signal{syscall.SIGINT, syscall.SIGTERM}, forceSignals()...)
	if signal.Ignored(syscall.SIGHUP) {
		return interruptible(ctx, stopping...)
	}
	if hasTerminal() {
		return interruptible(ctx, append(stopping, syscall.SIGHUP)...)
	}
	ignored := make(chan os.Signal, 1)
	signal.Notify(ignored, syscall.SIGHUP)
	ctx, cancel := interruptible(ctx, stopping...)
	return ctx, func() {
		signal.Stop(ignored)
		cancel()
	}
}

func interruptible(ctx context.Context, stopping ...os.Signal) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, stopping...)
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
