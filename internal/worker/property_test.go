package worker_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/worker"
)

// TestWorkerKeepsTheRules lets the world do random things to a worker on the
// real wire, in memory and in virtual time, and holds what is seen of it from
// outside against the rules that the verifier proves of the machine; see
// witness. In the end the world is made well, and the worker must be well too,
// or gone for a reason.
//
// A failure shows its steps in the language of testdata/worker: they make a
// script, but for what cannot be said there, on a stream that nobody serves.
func TestWorkerKeepsTheRules(t *testing.T) {
	for name, machine := range map[string]fsm.Config{
		"auto":        {Mode: fsm.Auto},
		"after job":   {Mode: fsm.Auto, RetireAfterJob: true},
		"stream-only": {Mode: fsm.StreamOnly},
		"poll-only":   {Mode: fsm.PollOnly},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				// All is drawn before the bubble begins, so that nothing in it depends
				// on rapid, and rapid may make it smaller as it likes.
				drawn := drawTrial(r, machine)
				var broken string
				synctest.Test(t, func(t *testing.T) { broken = drawn.run(t) })
				if broken != "" {
					r.Fatalf("%s\nafter\n%v", broken, &drawn)
				}
			})
		})
	}
}

// trial is a worker and what the world does to it.
type trial struct {
	machine fsm.Config
	silence time.Duration
	seed    uint64
	steps   []string

	stage   *stage
	witness *witness
	done    []string // the steps that were taken, the last one included
}

// likely is a list to pick from, in which what matters most stands more often.
func likely(words string) []string { return strings.Fields(words) }

var (
	ofSay    = likely("resume pause pause disconnect job:J1 job:J1 job:J2 job:J2 job:J3 job:J4 empty end lose lose lose")
	ofStream = likely("resume resume resume resume pause job:J1 job:J2 disconnect silent silent silent end unimplemented unavailable unavailable unavailable")
	ofPing   = likely("idle idle pause pause job:J1 job:J2 job:J3 job:J4 job:J4 disconnect fail busy hang hang hang refuse")
	ofAccept = likely("grant grant refuse refuse fail hang")
	ofOther  = likely("heartbeat=ok heartbeat=fail heartbeat=hang heartbeat=refuse finish=ok finish=fail finish=hang finish=refuse")
	ofWait   = likely("1ms 300ms 1s 2s 2s 5s 5s 11s 11s 30s 70s 3m 15m")
	ofStep   = likely("say say say say say say stream stream stream ping ping ping accept accept other network job job wait wait wait wait wait wait leave")
	ofLeave  = likely("drain force")
)

func drawTrial(r *rapid.T, machine fsm.Config) trial {
	d := trial{
		machine: machine,
		silence: rapid.SampledFrom([]time.Duration{0, 0, 20 * time.Second}).Draw(r, "silence"),
		seed:    rapid.Uint64Range(0, 7).Draw(r, "seed"),
	}
	// A slice of rapid's is short for the most part; three make a life.
	for range 3 {
		d.steps = append(d.steps, rapid.SliceOfN(rapid.Custom(drawStep), 0, 40).Draw(r, "steps")...)
	}
	return d
}

func drawStep(r *rapid.T) string {
	of := func(words []string) string { return rapid.SampledFrom(words).Draw(r, "what") }
	switch kind := of(ofStep); kind {
	case "say":
		return "say " + of(ofSay)
	case "stream":
		return "control stream=" + of(ofStream)
	case "ping":
		return "control ping=" + of(ofPing)
	case "accept":
		return "control accept=" + of(ofAccept)
	case "other":
		return "control " + of(ofOther)
	case "network":
		return "network " + of([]string{"dark", "light", "light"})
	case "job":
		return "job end"
	case "wait":
		return "wait " + of(ofWait)
	default:
		return of(ofLeave)
	}
}

// String is the trial as a script, as far as it went.
func (d *trial) String() string {
	s := fmt.Sprintf("start mode=%v", d.machine.Mode)
	if d.machine.RetireAfterJob {
		s += " after-job"
	}
	if d.silence > 0 {
		s += fmt.Sprintf(" silence=%v", d.silence)
	}
	return s + "\n" + strings.Join(d.done, "\n")
}

// run returns which rule was broken, or "".
func (d *trial) run(t *testing.T) string {
	t.Helper()
	c := newControl()
	d.witness = newWitness(c, d.machine)
	d.stage = newStage(t, c, d.witness.before(c.mux))
	defer d.stage.strike()
	d.stage.jobStarted, d.stage.jobEnded = d.witness.jobStarted, d.witness.jobEnded
	config := worker.Config{
		Machine: d.machine,
		RunJob:  d.witness.around(d.stage.runJob),
		Observe: d.witness.observe, SilenceLimit: d.silence,
		Rand:    rand.New(rand.NewPCG(1, d.seed)), //nolint:gosec // drawn
	}
	d.stage.begin(t, config)
	for _, step := range d.steps {
		synctest.Wait()
		d.done = append(d.done, step)
		d.do(step)
		synctest.Wait()
		if broken := d.check(); broken != "" {
			return broken
		}
	}
	d.done = append(d.done, "# and in a world that is well")
	return d.recover()
}

// do lets one step happen. What the world cannot do at the time does not.
func (d *trial) do(step string) {
	verb, what, _ := strings.Cut(step, " ")
	switch verb {
	case "say":
		d.say(what)
	case "control":
		kind, way, _ := strings.Cut(what, "=")
		d.stage.control.set(kind, way)
	case "network":
		d.stage.network.Dark.Store(what == "dark")
		d.witness.mu.Lock()
		defer d.witness.mu.Unlock()
		d.witness.unsound()
	case "job":
		select {
		case d.stage.job <- struct{}{}:
		default:
		}
	case "drain":
		d.stage.worker.Drain()
	case "force":
		d.stage.worker.Force()
		synctest.Wait()
		d.witness.mu.Lock()
		defer d.witness.mu.Unlock()
		if id := d.witness.working; id != "" {
			d.witness.breaksf("%s goes on although it is to be cancelled", id)
		}
	case "wait":
		length, err := time.ParseDuration(what)
		if err != nil {
			panic(err) // a word of ours
		}
		time.Sleep(length)
	}
}

// said is what a worker hears when something is said on a sound stream.
var said = map[string]fsm.EventKind{
	"resume": fsm.ReceivedResume, "empty": fsm.ReceivedResume, "pause": fsm.ReceivedPause,
	"disconnect": fsm.ReceivedDisconnect, "job": fsm.ReceivedJob, "lose": fsm.StreamLost,
}

// say says something on the stream, and sees that it is heard at once.
func (d *trial) say(what string) {
	w := d.witness
	word, id, _ := strings.Cut(what, ":")
	kind, sure := said[word]
	w.mu.Lock()
	sure = sure && w.sound && w.state != fsm.Stopped
	if word == "end" && w.sound && w.facts.Stream == fsm.StreamUp && w.state != fsm.Stopped {
		kind, sure = fsm.StreamEnded, true
	}
	before := w.heard[kind]
	if id != "" && w.live != nil {
		w.offer(id)
		if sure && w.offered[id] {
			w.owed[id] = true
		}
	}
	w.mu.Unlock()
	if !d.stage.control.offerSay(what) {
		return
	}
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if sure && w.heard[kind] == before {
		w.breaksf("the worker has not heard what the stream said")
	}
}

// check returns which rule was broken so far, or "".
func (d *trial) check() string {
	left := d.left()
	w := d.witness
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.overdue(now)
	switch {
	case w.broken != "":
	case left != "" && w.stopped.IsZero():
		w.breaksf("the worker left without a reason: %s", left)
	case left == "" && !w.stopped.IsZero() && now.After(w.stopped.Add(leaveLimit)):
		w.breaksf("the worker stopped, and has not left")
	case !w.leaving.IsZero() && w.stopped.IsZero() && len(w.running) == 0:
		w.breaksf("a worker that is to leave goes on asking for a job")
	case w.stopped.IsZero() && w.state == fsm.FallingBack && d.machine.Mode != fsm.StreamOnly && w.pollTo.IsZero():
		w.breaksf("the next ping is never due")
	case left != "" && len(w.running) > 0:
		w.breaksf("the worker left, and %v still runs", w.running)
	case w.stopped.IsZero() && w.working != "" && w.working != string(w.facts.Job):
		w.breaksf("%s runs, and the machine believes in %q", w.working, w.facts.Job)
	case !w.stopped.IsZero() && !d.mayLeave(w.facts.Leaving):
		w.breaksf("the worker left for a reason that nobody gave: %v", w.facts.Leaving)
	}
	return w.broken
}

// mayLeave tells whether something was done that makes a worker leave for that
// reason.
func (d *trial) mayLeave(why fsm.LeaveReason) bool {
	happened := strings.Join(d.done, "\n")
	has := func(words ...string) bool {
		for _, word := range words {
			if strings.Contains(happened, word) {
				return true
			}
		}
		return false
	}
	switch why {
	case fsm.Drained:
		return has("drain", "force")
	case fsm.Disconnected:
		return has("disconnect")
	case fsm.JobDone:
		return d.machine.RetireAfterJob && len(d.witness.started) > 0
	case fsm.SessionWasRefused:
		return has("heartbeat=refuse")
	case fsm.PingWasRefused:
		return has("ping=refuse")
	case fsm.StreamWasRefused:
		return has("stream=unimplemented") && d.machine.Mode == fsm.StreamOnly
	default:
		return false
	}
}

// left is why the worker has left, or "".
func (d *trial) left() string {
	d.stage.mu.Lock()
	defer d.stage.mu.Unlock()
	return d.stage.left
}

// recover makes the world well and sees that the worker is too. It returns what
// is wrong, or "".
func (d *trial) recover() string {
	// More than the longest wait there is: for a stream that was refused, or for
	// the finish of a job that could not be told.
	const patience = 45 * time.Minute
	c := d.stage.control
	for kind, way := range newControl().ways {
		c.set(kind, way)
	}
	d.stage.network.Dark.Store(false)
	close(d.stage.job)
	if broken := d.until(patience, "home", d.home); broken != "" {
		return broken
	}
	for _, id := range []string{"J1", "J2", "J3", "J4"} {
		if broken := d.until(patience, "done with "+id, d.again(id)); broken != "" {
			return broken
		}
	}
	return ""
}

// again names a job again, as a well control plane does with those that it still
// wants to be run: in the answers to pings, and once on each stream. It tells
// whether that is done.
func (d *trial) again(id string) (done func() bool) {
	w := d.witness
	var told *http.Request // the stream on which it was named last
	return func() bool {
		w.mu.Lock()
		wanted, live := w.offered[id], w.live
		w.mu.Unlock()
		switch {
		case !wanted:
			d.stage.control.set("ping", "idle")
			return d.home()
		case d.machine.Mode == fsm.PollOnly:
			d.stage.control.set("ping", "job:"+id)
		case live != told:
			told = live
			d.say("job:" + id)
		}
		return false
	}
}

// until lets time pass in a well world until the worker has left, or is as it
// should be, and returns what is wrong, or "".
func (d *trial) until(patience time.Duration, what string, there func() bool) string {
	const tick = 5 * time.Second
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(tick) {
		synctest.Wait()
		d.say("resume") // ends a pause, and keeps the stream alive
		if broken := d.check(); broken != "" || d.left() != "" || there() {
			return broken
		}
	}
	w := d.witness
	w.mu.Lock()
	defer w.mu.Unlock()
	return fmt.Sprintf("the worker is not %s for %v: %v, %+v; offered %v, owed %v", what, patience, w.state, w.facts, w.offered, w.owed)
}

// home tells whether the worker waits where it belongs, with all done that it
// was told on the stream that is open. One that is to leave has no home.
func (d *trial) home() bool {
	w := d.witness
	w.mu.Lock()
	defer w.mu.Unlock()
	at := w.state == fsm.StreamHealthy && w.facts.Stream == fsm.StreamUp
	if d.machine.Mode == fsm.PollOnly {
		at = w.state == fsm.FallingBack || w.state == fsm.PollingBusy
	}
	return at && w.facts.Job == "" && !w.facts.Paused && len(w.owed) == 0 &&
		w.facts.Leaving == fsm.Staying && w.facts.Retiring == fsm.Staying
}
