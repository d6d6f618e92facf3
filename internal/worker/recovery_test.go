package worker_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

const (
	// leaveLimit is how long a stopped worker may take to leave.
	leaveLimit = 5 * time.Second
	// recoveryLimit is more than the longest wait of a worker: for a stream that
	// was refused, or to retry the finish of a job.
	recoveryLimit = 45 * time.Minute
)

// check returns the first violation so far, or "".
func (d *trial) check() string {
	left := d.reason()
	c := d.checker
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	c.checkMissedDeadlines(now)
	switch {
	case c.violation != "":
	case left != "" && c.stopped.IsZero():
		c.failf("the worker left without a reason: %s", left)
	case left == "" && !c.stopped.IsZero() && now.After(c.stopped.Add(leaveLimit)):
		c.failf("the worker stopped, and has not left")
	case !c.leaving.IsZero() && c.stopped.IsZero() && len(c.running) == 0:
		c.failf("a draining worker still requests a job")
	case c.stopped.IsZero() && c.state == fsm.FallingBack && d.machine.Mode != fsm.StreamOnly && c.pollTo.IsZero():
		c.failf("the next ping is never due")
	case left != "" && len(c.running) > 0:
		c.failf("the worker left, and %v still runs", c.running)
	case c.stopped.IsZero() && c.command != "" && c.command != string(c.facts.Job):
		c.failf("%s runs, and the job of the machine is %q", c.command, c.facts.Job)
	case !c.stopped.IsZero() && !d.mayLeave(c.facts.Leaving):
		c.failf("the worker left for a reason that did not occur: %v", c.facts.Leaving)
	}
	return c.violation
}

// mayLeave reports whether a step so far can make a worker leave for that reason.
func (d *trial) mayLeave(reason fsm.LeaveReason) bool {
	done := strings.Join(d.done, "\n")
	switch reason {
	case fsm.Drained:
		return strings.Contains(done, "drain") || strings.Contains(done, "force")
	case fsm.Disconnected:
		return strings.Contains(done, "disconnect")
	case fsm.JobDone:
		return d.machine.RetireAfterJob && len(d.checker.started) > 0
	case fsm.SessionWasRefused:
		return strings.Contains(done, "heartbeat=refuse")
	case fsm.PingWasRefused:
		return strings.Contains(done, "ping=refuse")
	case fsm.StreamWasRefused:
		return strings.Contains(done, "stream=unimplemented") && d.machine.Mode == fsm.StreamOnly
	default:
		return false
	}
}

// recover removes every fault and checks that the worker recovers and runs the
// jobs that were assigned. It returns a violation, or "".
func (d *trial) recover() string {
	for kind, response := range newControl().responses {
		d.control.set(kind, response)
	}
	d.network.Dark.Store(false)
	close(d.job)
	if violation := d.until("idle", d.idle); violation != "" {
		return violation
	}
	for _, id := range []string{"J1", "J2", "J3", "J4"} {
		if violation := d.until("done with "+id, d.assignAgain(id)); violation != "" {
			return violation
		}
	}
	return ""
}

// assignAgain returns a function that assigns a job again until it was run, as a
// control plane does: in the responses to pings, and once on each stream. The
// function reports whether the job was run and the worker is idle.
func (d *trial) assignAgain(id string) (done func() bool) {
	c := d.checker
	var assignedOn *http.Request // the last stream that assigned the job
	return func() bool {
		c.mu.Lock()
		offered, stream := c.offered[id], c.stream
		c.mu.Unlock()
		switch {
		case !offered:
			d.control.set("ping", "idle")
			return d.idle()
		case d.machine.Mode == fsm.PollOnly:
			d.control.set("ping", "job:"+id)
		case stream != assignedOn:
			assignedOn = stream
			d.say("job:" + id)
		}
		return false
	}
}

// until waits, without faults, until the worker has left or done returns true. It
// returns a violation, or "".
func (d *trial) until(what string, done func() bool) string {
	const tick = 5 * time.Second
	for end := time.Now().Add(recoveryLimit); time.Now().Before(end); time.Sleep(tick) {
		synctest.Wait()
		d.say("resume") // ends a pause, and keeps the stream alive
		if violation := d.check(); violation != "" || d.reason() != "" || done() {
			return violation
		}
	}
	c := d.checker
	c.mu.Lock()
	defer c.mu.Unlock()
	return fmt.Sprintf("the worker is not %s after %v: %v, %+v; offered %v, expected %v",
		what, recoveryLimit, c.state, c.facts, c.offered, c.expected)
}

// idle reports whether the worker waits for work in the state of its mode, and has
// run every job that the open stream assigned. A draining worker is never idle.
func (d *trial) idle() bool {
	c := d.checker
	c.mu.Lock()
	defer c.mu.Unlock()
	waits := c.state == fsm.StreamHealthy && c.facts.Stream == fsm.StreamUp
	if d.machine.Mode == fsm.PollOnly {
		waits = c.state == fsm.FallingBack || c.state == fsm.PollingBusy
	}
	return waits && c.facts.Job == "" && !c.facts.Paused && len(c.expected) == 0 &&
		c.facts.Leaving == fsm.Staying && c.facts.Retiring == fsm.Staying
}
