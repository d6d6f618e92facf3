package job

import (
	"context"
	"fmt"
	"time"
)

// process is a running command with its group, as far as cancelling it goes.
type process interface {
	// exited is closed when the command itself has ended. Others of its group
	// may live on.
	exited() <-chan struct{}
	// terminate sends the cancel signal to the group.
	terminate() error
	// kill ends the group by force.
	kill() error
}

// ending is what there is to tell about the end of a process.
type ending struct {
	gone       bool          // the command has ended; false only after SIGKILL has not helped
	cause      error         // why it was cancelled; nil if it ended by itself
	signaledAt time.Time     // when the cancel signal was sent, if it was
	killed     bool          // SIGKILL was needed
	took       time.Duration // from the cancel signal to the end
	unsent     error         // why the cancel signal could not be sent
}

// supervise waits for the end of a process, and brings it about when ctx ends:
// the cancel signal, grace, SIGKILL. It waits for a killed process no longer
// than killWait.
func supervise(ctx context.Context, p process, grace, killWait time.Duration) ending {
	select {
	case <-p.exited():
		return ending{gone: true}
	case <-ctx.Done():
	}
	select {
	case <-p.exited(): // both at once: it ended by itself
		return ending{gone: true}
	default:
	}
	end := ending{cause: context.Cause(ctx), signaledAt: time.Now()}
	end.unsent = p.terminate()
	if end.gone = within(p.exited(), grace); end.gone {
		end.took = time.Since(end.signaledAt)
		return end
	}
	end.killed = true

	// An error here shows in what follows: the process does not end.
	if err := p.kill(); err != nil {
		end.unsent = err
	}
	end.gone = within(p.exited(), killWait)
	end.took = time.Since(end.signaledAt)
	return end
}

// describe is the line of the job's log about a cancellation.
func (e ending) describe(opts Options) string {
	line := fmt.Sprintf("%v: sent %s to the command and its process group", e.cause, signalName(opts.CancelSignal))
	if e.unsent != nil {
		line += fmt.Sprintf(" (%v)", e.unsent)
	}
	if e.killed {
		return line + fmt.Sprintf(", and SIGKILL %v later", opts.CancelGrace)
	}
	return line + fmt.Sprintf(", and the command ended %v later", e.took.Round(time.Millisecond))
}

// within waits for done, at most so long, and tells whether it came.
func within(done <-chan struct{}, limit time.Duration) bool {
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-done:
		return true
	case <-timer.C:
		return false
	}
}
