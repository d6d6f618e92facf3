package worker_test

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/worker"
)

// checker observes one worker from outside: the calls that reach the control
// plane, the jobs that run, and the records of its machine. It checks all of them
// against the rules, as fsm/verify does, and keeps the first violation. It may be
// used concurrently.
type checker struct {
	control *control

	mu        sync.Mutex
	violation string // the first one; later ones may be its consequences

	// From the records.
	state    fsm.State
	facts    fsm.Facts
	received map[fsm.EventKind]int
	leaving  time.Time // when a record first said that the worker leaves
	stopped  time.Time // when it stopped

	// The deadlines that the machine has set; zero if none is set.
	pollFrom, pollTo time.Time
	trust            time.Time
	trustEpoch       fsm.Epoch
	silence          time.Duration // how long a silent stream is trusted
	blockedUntil     time.Time     // the control plane wants no ping before

	// From the calls.
	pings        map[*http.Request]time.Time
	pingResponse string // the response to the last ping
	accepts      map[*http.Request]time.Time
	stream       *http.Request // the stream opened last, while it is served
	intact       bool          // every byte of that stream has arrived

	// Jobs, by ID.
	offered  map[string]bool // assigned to the worker, and not started or rejected since
	expected map[string]bool // those of them that an intact open stream has assigned
	started  map[string]bool
	running  []string // from the start of RunJob to its end
	command  string   // the job whose command runs
}

func newChecker(c *control, machine fsm.Config, silence time.Duration) *checker {
	return &checker{
		control:  c,
		silence:  cmp.Or(silence, 150*time.Second), // control announces no interval
		facts:    fsm.Facts{Mode: machine.Mode, RetireAfterJob: machine.RetireAfterJob},
		received: map[fsm.EventKind]int{},
		pings:    map[*http.Request]time.Time{},
		accepts:  map[*http.Request]time.Time{},
		offered:  map[string]bool{},
		expected: map[string]bool{},
		started:  map[string]bool{},
	}
}

// failf keeps a violation, if it is the first.
func (c *checker) failf(format string, arguments ...any) {
	if c.violation == "" {
		c.violation = fmt.Sprintf(format, arguments...)
	}
}

// observe checks a record against the table and the rules.
func (c *checker) observe(r fsm.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	event := fmt.Sprintf("%v in %v (%s)", r.Event, r.From, r.Cause)
	if r.From != c.state {
		c.failf("%s: the record before went to %v", event, c.state)
	}
	state, facts, effects, decision := fsm.Advance(c.state, &c.facts, r.Event)
	if r.To != state || r.Ignored != decision.Ignored {
		c.failf("%s: goes to %v %q, and in the table to %v %q", event, r.To, r.Ignored, state, decision.Ignored)
	}
	if got, want := fmt.Sprintf("%+v", r.Facts), fmt.Sprintf("%+v", facts); got != want {
		c.failf("%s: the facts are %s, and by the table %s", event, got, want)
	}
	if !slices.Equal(r.Effects, effects) {
		c.failf("%s: the effects are %v, and by the table %v", event, r.Effects, effects)
	}
	c.state, c.facts = r.To, r.Facts
	c.received[r.Event.Kind]++
	if c.leaving.IsZero() && c.facts.Leaving != fsm.Staying {
		c.leaving = r.Time
	}
	if c.stopped.IsZero() && c.state == fsm.Stopped {
		c.stopped = r.Time
	}
	c.checkDeadlines(r)
	for _, violation := range append(
		[]string{stateViolation(c.state, &c.facts), c.eventViolation(r)}, c.effectViolations(r)...,
	) {
		if violation != "" {
			c.failf("%s: %s", event, violation)
		}
	}
	if r.Event.Kind == fsm.JobRejected {
		delete(c.offered, string(r.Event.Job))
		// A job that was assigned again during its accept call may be in the mailbox.
		if !c.facts.Mailbox.Has(r.Event.Job) {
			delete(c.expected, string(r.Event.Job))
		}
	}
}

// stateViolation returns the rule that a state with these facts violates, or "".
func stateViolation(s fsm.State, f *fsm.Facts) string {
	up, busy := f.Stream == fsm.StreamUp, f.Job != ""
	switch {
	case (s == fsm.FallingBack || s == fsm.PollingBusy) && up:
		return "the poller is in control while the stream is up"
	case s == fsm.Reclaiming && !up:
		return "Reclaiming while the stream is not up"
	case f.Pinging && busy:
		return "a job and a ping at the same time"
	case (s == fsm.StreamHealthy || s == fsm.FallingBack) && (busy || f.Pinging):
		return "a job or a ping in a state without one"
	case s == fsm.Stopped && busy:
		return "the worker stopped with a job in hand"
	case s == fsm.StreamHealthy && f.Stream != fsm.StreamUp && f.Stream != fsm.StreamUnknown:
		return "StreamHealthy while the stream is not trusted"
	case s == fsm.Running && !busy:
		return "Running without a job"
	case f.Leaving != fsm.Staying && !busy && s != fsm.Stopped:
		return "a draining worker stays without work"
	}
	return ""
}

// eventViolation returns a violation if the worker received what was not sent, or
// did not act on what it received.
func (c *checker) eventViolation(r fsm.Record) string {
	responses := map[fsm.EventKind]string{
		fsm.AnsweredIdle: "idle", fsm.AnsweredPause: "pause", fsm.AnsweredDisconnect: "disconnect",
		fsm.AnsweredJob: "job", fsm.PollRefused: "refuse",
	}
	response := responses[r.Event.Kind]
	pause := r.Event.Kind == fsm.ReceivedPause || r.Event.Kind == fsm.AnsweredPause && r.From == fsm.PollingBusy && !c.facts.PingIsOld
	disconnect := r.Event.Kind == fsm.ReceivedDisconnect || r.Event.Kind == fsm.AnsweredDisconnect
	switch {
	case response != "" && response != c.pingResponse:
		return "the response to the ping was " + c.pingResponse
	case r.Ignored != "":
	case pause && !c.facts.Paused:
		return "not paused after a pause"
	case disconnect && c.facts.Leaving == fsm.Staying:
		return "not leaving after a disconnect"
	}
	return ""
}

// effectViolations notes the deadlines that the effects set, and returns the rules
// that they violate.
func (c *checker) effectViolations(r fsm.Record) (violations []string) {
	const interval = 2 * time.Second // the ping interval of control
	if r.Event.Kind.Class() == fsm.ClassMessage && r.Ignored == "" {
		c.trust, c.trustEpoch = r.Time.Add(c.silence), r.Event.Epoch
	}
	for _, e := range r.Effects {
		switch e.Kind { //nolint:exhaustive // the others set no deadline
		case fsm.ArmPollNow:
			c.pollFrom, c.pollTo = r.Time, r.Time
			if c.blockedUntil.After(r.Time) { // with jitter, to part the workers of a fleet
				c.pollFrom, c.pollTo = c.blockedUntil, c.blockedUntil.Add(interval)
			}
		case fsm.ArmPollLater:
			c.pollFrom = r.Time.Add(interval / 2)
			if c.blockedUntil.After(c.pollFrom) {
				c.pollFrom = c.blockedUntil
			}
			c.pollTo = c.pollFrom.Add(interval)
		case fsm.DisarmPoll:
			c.pollFrom, c.pollTo = time.Time{}, time.Time{}
		case fsm.ArmTrust:
			c.trust, c.trustEpoch = r.Time.Add(worker.FirstMessageDeadline), e.Epoch
		case fsm.StartJob:
			switch {
			case c.facts.Paused:
				violations = append(violations, "a job is started while paused")
			case c.facts.Leaving != fsm.Staying:
				violations = append(violations, "a draining worker starts a job")
			}
		}
	}
	return violations
}

// checkDeadlines checks that no deadline passed without its event, and that the
// event of a deadline comes at its time.
func (c *checker) checkDeadlines(r fsm.Record) {
	switch r.Event.Kind {
	case fsm.PollDue:
		if c.pollTo.IsZero() || r.Time.Before(c.pollFrom) {
			c.failf("%v: a ping is due too early", r.Event)
		}
		c.checkMissedDeadlines(r.Time)
		c.pollFrom, c.pollTo = time.Time{}, time.Time{}
	case fsm.TrustExpired:
		if !r.Time.Equal(c.trust) || r.Event.Epoch != c.trustEpoch {
			c.failf("%v: not the deadline that was set", r.Event)
		}
		c.trust = time.Time{}
	default:
		c.checkMissedDeadlines(r.Time)
	}
}

// checkMissedDeadlines checks that no deadline passed without its event. The clock
// of the bubble stops while anything runs, so that no event is late.
func (c *checker) checkMissedDeadlines(now time.Time) {
	if c.state == fsm.Stopped {
		return
	}
	if !c.pollTo.IsZero() && now.After(c.pollTo) {
		c.failf("the deadline of the next ping passed without an event")
	}
	if !c.trust.IsZero() && now.After(c.trust) {
		c.failf("the deadline of the next message passed without an event")
	}
}
