package worker_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/worker"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	// callLimit is when a worker gives up a ping or one try of an accept. Its
	// handler may learn of that much later, or never, when the network is dark.
	callLimit = 10 * time.Second
	// busyWait is what the control plane asks for when it is busy.
	busyWait = time.Minute
	// leaveLimit is how long the goodbye of a worker may take.
	leaveLimit = 5 * time.Second
)

// witness sees one worker from outside: the calls that reach the control plane,
// the jobs that run, and the records of what its machine answered. It holds all
// of it against the rules, in the words of fsm/verify, and remembers the first
// that was broken. It may be used concurrently.
type witness struct {
	control *control

	mu     sync.Mutex
	broken string

	// What the records say.
	state   fsm.State
	facts   fsm.Facts
	heard   map[fsm.EventKind]int
	leaving time.Time // when the worker was first known to be leaving
	stopped time.Time // when it stopped

	// The deadlines that the machine has asked for; zero is none.
	pollFrom, pollTo time.Time
	trust            time.Time
	trusted          fsm.Epoch
	blocked          time.Time // until then the control plane wants no ping

	// What the control plane sees.
	pings   map[*http.Request]time.Time
	answer  string // the way of the last ping's
	accepts map[*http.Request]time.Time
	live    *http.Request // the stream that was opened last, while it is served
	sound   bool          // every byte of that stream has arrived

	// Jobs, by id.
	offered map[string]bool // named to the worker, and neither started nor refused since
	owed    map[string]bool // of these, named on a sound stream that is still served
	started map[string]bool
	running []string // between the begin and the end of RunJob
	working string   // the one whose command runs
}

func newWitness(c *control, machine fsm.Config) *witness {
	return &witness{
		control: c,
		facts:   fsm.Facts{Mode: machine.Mode, RetireAfterJob: machine.RetireAfterJob},
		heard:   map[fsm.EventKind]int{},
		pings:   map[*http.Request]time.Time{},
		accepts: map[*http.Request]time.Time{},
		offered: map[string]bool{},
		owed:    map[string]bool{},
		started: map[string]bool{},
	}
}

// breaksf notes that a rule was broken, if it is the first. Only the first can
// be trusted to be no consequence of another.
func (w *witness) breaksf(format string, arguments ...any) {
	if w.broken == "" {
		w.broken = fmt.Sprintf(format, arguments...)
	}
}

// observe holds a record against the table, and against the rules.
func (w *witness) observe(r fsm.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	told := fmt.Sprintf("%v in %v (%s)", r.Event, r.From, r.Cause)
	if r.From != w.state {
		w.breaksf("%s: the record before says %v", told, w.state)
	}
	state, facts, effects, decision := fsm.Advance(w.state, &w.facts, r.Event)
	if r.To != state || r.Ignored != decision.Ignored {
		w.breaksf("%s: goes to %v %q, and the table says %v %q", told, r.To, r.Ignored, state, decision.Ignored)
	}
	if got, want := fmt.Sprintf("%+v", r.Facts), fmt.Sprintf("%+v", facts); got != want {
		w.breaksf("%s: the facts are %s, and the table says %s", told, got, want)
	}
	if !slices.Equal(r.Effects, effects) {
		w.breaksf("%s: the effects are %v, and the table says %v", told, r.Effects, effects)
	}
	w.state, w.facts = r.To, r.Facts
	w.heard[r.Event.Kind]++
	if w.leaving.IsZero() && w.facts.Leaving != fsm.Staying {
		w.leaving = r.Time
	}
	if w.stopped.IsZero() && w.state == fsm.Stopped {
		w.stopped = r.Time
	}
	if wrong := wrongIn(w.state, &w.facts); wrong != "" {
		w.breaksf("%s: %s", told, wrong)
	}
	if wrong := w.unheard(r); wrong != "" {
		w.breaksf("%s: %s", told, wrong)
	}
	w.late(r)
	for _, e := range r.Effects {
		if wrong := w.arm(r.Time, e); wrong != "" {
			w.breaksf("%s: %s", told, wrong)
		}
	}
	if r.Event.Kind == fsm.JobRejected {
		delete(w.offered, string(r.Event.Job))
		// Named again while it was being asked for, it may wait in the mailbox.
		if !w.facts.Mailbox.Has(r.Event.Job) {
			delete(w.owed, string(r.Event.Job))
		}
	}
}

// wrongIn returns which rule a state with these facts breaks, or "".
func wrongIn(s fsm.State, f *fsm.Facts) string {
	up, busy := f.Stream == fsm.StreamUp, f.Job != ""
	switch {
	case (s == fsm.FallingBack || s == fsm.PollingBusy) && up:
		return "the poller is in control while the stream is up"
	case s == fsm.Reclaiming && !up:
		return "Reclaiming while the stream is not up"
	case f.Pinging && busy:
		return "a job and a ping in hand at once"
	case (s == fsm.StreamHealthy || s == fsm.FallingBack) && (busy || f.Pinging):
		return "work in hand in a state without"
	case s == fsm.Stopped && busy:
		return "the worker leaves a job behind"
	case s == fsm.StreamHealthy && f.Stream != fsm.StreamUp && f.Stream != fsm.StreamUnknown:
		return "StreamHealthy while the stream is not trusted"
	case s == fsm.Running && !busy:
		return "Running without a job"
	case f.Leaving != fsm.Staying && !busy && s != fsm.Stopped:
		return "a worker that is to leave stays without work"
	}
	return ""
}

// unheard returns what the worker has heard that was not said, or not taken to
// heart, or "".
func (w *witness) unheard(r fsm.Record) string {
	ways := map[fsm.EventKind]string{
		fsm.AnsweredIdle: "idle", fsm.AnsweredPause: "pause", fsm.AnsweredDisconnect: "disconnect",
		fsm.AnsweredJob: "job", fsm.PollRefused: "refuse",
	}
	way := ways[r.Event.Kind]
	pause := r.Event.Kind == fsm.ReceivedPause || r.Event.Kind == fsm.AnsweredPause && r.From == fsm.PollingBusy && !w.facts.PingIsOld
	bye := r.Event.Kind == fsm.ReceivedDisconnect || r.Event.Kind == fsm.AnsweredDisconnect
	switch {
	case way != "" && way != w.answer:
		return "the ping was answered with " + w.answer
	case r.Ignored != "":
	case pause && !w.facts.Paused:
		return "a pause that does not hold"
	case bye && w.facts.Leaving == fsm.Staying:
		return "a disconnect that is not obeyed"
	}
	return ""
}

// arm takes note of what an effect asks for, and returns which rule it breaks,
// or "".
func (w *witness) arm(now time.Time, e fsm.Effect) string {
	const interval = 2 * time.Second // see control
	switch e.Kind {                  //nolint:exhaustive // the others arm nothing
	case fsm.ArmPollNow:
		w.pollFrom, w.pollTo = now, now
		if w.blocked.After(now) { // and then not together with the rest of a fleet
			w.pollFrom, w.pollTo = w.blocked, w.blocked.Add(interval)
		}
	case fsm.ArmPollLater:
		w.pollFrom = latest(now.Add(interval/2), w.blocked)
		w.pollTo = w.pollFrom.Add(interval)
	case fsm.DisarmPoll:
		w.pollFrom, w.pollTo = time.Time{}, time.Time{}
	case fsm.ArmTrust:
		w.trust, w.trusted = now.Add(worker.DefaultFirstMessageDeadline), e.Epoch
	case fsm.StartJob:
		switch {
		case w.facts.Paused:
			return "a job is started while paused"
		case w.facts.Leaving != fsm.Staying:
			return "a job is started by a worker that leaves"
		}
	}
	return ""
}

// late looks for deadlines that have passed without their event, and events
// that came without their deadline.
func (w *witness) late(r fsm.Record) {
	switch r.Event.Kind {
	case fsm.PollDue:
		if w.pollTo.IsZero() || r.Time.Before(w.pollFrom) {
			w.breaksf("%v: a ping is due too early", r.Event)
		}
		w.overdue(r.Time)
		w.pollFrom, w.pollTo = time.Time{}, time.Time{}
	case fsm.TrustExpired:
		if !r.Time.Equal(w.trust) || r.Event.Epoch != w.trusted {
			w.breaksf("%v: not the deadline that was set", r.Event)
		}
		w.trust = time.Time{}
	default:
		w.overdue(r.Time)
	}
}

// overdue looks for deadlines that have passed without their event. The clock
// of the bubble stands still while anything runs, so that none is late at all.
func (w *witness) overdue(now time.Time) {
	if w.state == fsm.Stopped {
		return
	}
	if !w.pollTo.IsZero() && now.After(w.pollTo) {
		w.breaksf("the next ping was due, and is not")
	}
	if !w.trust.IsZero() && now.After(w.trust) {
		w.breaksf("the first-message deadline has passed unnoticed")
	}
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// before stands before the control plane and sees what arrives.
func (w *witness) before(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		// The answer reaches the worker after that: a call is never seen to be in
		// flight when the worker knows better.
		defer w.arrives(r)()
		next.ServeHTTP(out, r)
	})
}

// arrives judges a call, and returns what is to be done when it is answered.
func (w *witness) arrives(r *http.Request) (answered func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/ping"):
		return w.pinged(r)
	case strings.HasSuffix(path, "/accept"):
		return w.asked(r, strings.Split(path, "/")[3])
	case strings.HasSuffix(path, "/StreamPings"):
		return w.opened(r)
	case strings.HasSuffix(path, "/start"):
		if id := strings.Split(path, "/")[3]; w.started[id] {
			w.breaksf("%s is started twice", id)
		}
	}
	return func() {}
}

func (w *witness) pinged(r *http.Request) (answered func()) {
	now := time.Now()
	switch {
	case inFlight(w.pings, now):
		w.breaksf("a second ping is sent beside one in flight")
	case inFlight(w.accepts, now):
		w.breaksf("a ping is sent while a job is asked for")
	case len(w.running) > 0 || w.facts.Job != "":
		w.breaksf("a ping is sent beside a job")
	case now.Before(w.blocked):
		w.breaksf("a ping is sent although the control plane is busy")
	case w.isLeaving(now):
		w.breaksf("a ping is sent by a worker that leaves")
	case w.facts.Mode == fsm.StreamOnly:
		w.breaksf("a ping is sent in stream-only")
	}
	w.pings[r] = now
	way, id, _ := strings.Cut(w.control.way("ping"), ":")
	w.answer = way
	if way == "job" {
		w.offer(id)
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.pings, r)
		if way == "busy" && r.Context().Err() == nil {
			w.blocked = time.Now().Add(busyWait)
		}
	}
}

func (w *witness) asked(r *http.Request, id string) (answered func()) {
	now := time.Now()
	switch {
	case w.started[id]:
		w.breaksf("%s is asked for again, and was started", id)
	case inFlight(w.pings, now):
		w.breaksf("%s is asked for beside a ping in flight", id)
	case inFlight(w.accepts, now):
		w.breaksf("%s is asked for beside another", id)
	case len(w.running) > 0:
		w.breaksf("%s is asked for while %v is in hand", id, w.running)
	case string(w.facts.Job) != id:
		w.breaksf("%s is asked for, and %q is in hand", id, w.facts.Job)
	case w.isLeaving(now):
		w.breaksf("%s is asked for by a worker that leaves", id)
	}
	w.accepts[r] = now
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.accepts, r)
	}
}

func (w *witness) opened(r *http.Request) (answered func()) {
	w.live, w.sound = r, true
	clear(w.owed)
	if way, id, _ := strings.Cut(w.control.way("stream"), ":"); way == "job" {
		w.offer(id)
	}
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.live == r {
			w.live = nil
			w.unsound()
		}
	}
}

// inFlight tells whether one of the calls is not given up yet.
func inFlight(calls map[*http.Request]time.Time, now time.Time) bool {
	for _, since := range calls {
		if now.Before(since.Add(callLimit)) {
			return true
		}
	}
	return false
}

// isLeaving leaves room for what was on its way at the very moment.
func (w *witness) isLeaving(now time.Time) bool { return !w.leaving.IsZero() && now.After(w.leaving) }

// unsound is told when the stream may have lost something, and with it the
// right to expect that what was said on it is known.
func (w *witness) unsound() {
	w.sound = false
	clear(w.owed)
}

func (w *witness) offer(id string) {
	if !w.started[id] {
		w.offered[id] = true
	}
}

// around is a RunJob that watches another one.
func (w *witness) around(run worker.RunJob) worker.RunJob {
	return func(ctx context.Context, accepted transport.AcceptedJob) (job.Result, error) {
		id := accepted.ID
		w.mu.Lock()
		if len(w.running) > 0 || inFlight(w.pings, time.Now()) {
			w.breaksf("%s runs beside %v or a ping", id, w.running)
		}
		if w.started[id] {
			w.breaksf("%s runs twice", id)
		}
		w.running = append(w.running, id)
		w.mu.Unlock()
		defer func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			at := slices.Index(w.running, id)
			w.running = slices.Delete(w.running, at, at+1)
		}()
		return run(ctx, accepted)
	}
}

// jobStarted notes that the start of a job was acknowledged.
func (w *witness) jobStarted(id string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.started[id], w.working = true, id
	delete(w.offered, id)
	delete(w.owed, id)
}

// jobEnded notes that the command of a job has ended.
func (w *witness) jobEnded(string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.working = ""
}

// offerSay says something on the stream if somebody serves one, and tells
// whether that was so. Everything else must be at rest.
func (c *control) offerSay(what string) bool {
	c.mu.Lock()
	live := c.live
	c.mu.Unlock()
	select {
	case live <- what: // a nil channel takes nothing
		return true
	default:
		return false
	}
}
