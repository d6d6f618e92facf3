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

// Step is what one more SIGINT or SIGTERM does to a daemon, and the message that
// says so.
type Step struct {
	Do      func()
	Message string
}

// RunDaemon calls run and returns its error. Each SIGINT or SIGTERM takes the
// next of the steps, after a call of notef with its message. The signal after the
// last step makes RunDaemon return at once, with the signal's exit code, while run
// goes on until the process ends.
func RunDaemon(steps []Step, notef func(format string, args ...any), run func() error) error {
	signals := make(chan os.Signal, len(steps)+1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	defer signal.Stop(signals)
	ended := make(chan error, 1)
	go func() { ended <- run() }()
	for {
		select {
		case err := <-ended:
			return err
		case received := <-signals:
			if len(steps) == 0 {
				notef("exiting at once")
				number, _ := received.(syscall.Signal)
				return &ExitError{Code: ExitSignal + int(number)}
			}
			notef("%s", steps[0].Message)
			steps[0].Do()
			steps = steps[1:]
		}
	}
}
