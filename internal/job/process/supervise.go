package process

import (
	"context"
	"fmt"
	"syscall"
	"time"
)

// target is what supervise ends.
type target interface {
	done() <-chan struct{} // closed when the program has ended; others of its group may still run
	terminate() error      // sends the cancel signal to the group
	kill() error           // kills the group
}

// End is how the wait for a program ended.
type End struct {
	Exited     bool          // the program has ended; false if SIGKILL had no effect
	Cause      error         // why it was canceled; nil if it ended by itself
	SignaledAt time.Time     // when the cancel signal was sent
	Killed     bool          // SIGKILL was needed
	Took       time.Duration // from the cancel signal to the end
	SignalErr  error         // why a signal could not be sent
}

// supervise waits for the end of a program. When ctx ends, it sends the cancel
// signal, and SIGKILL if the program has not ended after grace. It waits for the
// end of a killed program at most killWait.
func supervise(ctx context.Context, t target, grace, killWait time.Duration) End {
	select {
	case <-t.done():
		return End{Exited: true}
	case <-ctx.Done():
	}
	select {
	case <-t.done(): // both at once: it ended by itself
		return End{Exited: true}
	default:
	}
	end := End{Cause: context.Cause(ctx), SignaledAt: time.Now()}
	end.SignalErr = t.terminate()
	end.Exited = closedWithin(t.done(), grace)
	if !end.Exited {
		end.Killed = true
		if err := t.kill(); err != nil {
			end.SignalErr = err
		}
		end.Exited = closedWithin(t.done(), killWait)
	}
	end.Took = time.Since(end.SignaledAt)
	return end
}

// Describe returns a sentence about a cancellation, for the job's log. The
// arguments are those that the program was started with.
func (e End) Describe(signal syscall.Signal, grace time.Duration) string {
	line := fmt.Sprintf("%v: sent %s to the command and its process group", e.Cause, SignalName(signal))
	if e.SignalErr != nil {
		line += fmt.Sprintf(" (%v)", e.SignalErr)
	}
	if e.Killed {
		return line + fmt.Sprintf(", and SIGKILL %v later", grace)
	}
	return line + fmt.Sprintf(", and the command ended %v later", e.Took.Round(time.Millisecond))
}

// closedWithin waits for c to be closed, at most for limit, and reports whether it
// was.
func closedWithin(c <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-c:
		return true
	case <-timer.C:
		return false
	}
}
