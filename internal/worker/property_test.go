package worker_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/worker"
)

// TestWorkerKeepsTheRules runs random steps against a worker with the real
// protocol, in memory and in virtual time, and checks what can be observed from
// outside against the rules that fsm/verify proves of the machine; see checker.
// In the end every fault is removed, and the worker must recover, or must have
// left for a reason.
//
// A failure prints its steps as a script of testdata/worker, except that a script
// cannot send a message when no stream is served.
func TestWorkerKeepsTheRules(t *testing.T) {
	for name, machine := range map[string]fsm.Config{
		"auto":        {Mode: fsm.Auto},
		"after job":   {Mode: fsm.Auto, RetireAfterJob: true},
		"stream-only": {Mode: fsm.StreamOnly},
		"poll-only":   {Mode: fsm.PollOnly},
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				// Everything is drawn before the bubble begins, so that nothing in it
				// depends on rapid.
				drawn := drawTrial(r, machine)
				var violation string
				synctest.Test(t, func(t *testing.T) { violation = drawn.run(t) })
				if violation != "" {
					r.Fatalf("%s\nafter\n%v", violation, &drawn)
				}
			})
		})
	}
}

// trial is a worker and the steps to run against it.
type trial struct {
	*harness

	machine fsm.Config
	silence time.Duration
	seed    uint64
	steps   []string

	checker *checker
	done    []string // the steps so far, including the current one
}

// words returns a list to draw from. A repeated word is drawn more often.
func words(list string) []string { return strings.Fields(list) }

var (
	sayWords    = words("resume pause pause disconnect job:J1 job:J1 job:J2 job:J2 job:J3 job:J4 empty end lose lose lose")
	streamWords = words("resume resume resume resume pause job:J1 job:J2 disconnect silent silent silent end unimplemented unavailable unavailable unavailable")
	pingWords   = words("idle idle pause pause job:J1 job:J2 job:J3 job:J4 job:J4 disconnect fail busy hang hang hang refuse")
	acceptWords = words("grant grant refuse refuse fail hang")
	otherWords  = words("heartbeat=ok heartbeat=fail heartbeat=hang heartbeat=refuse finish=ok finish=fail finish=hang finish=refuse")
	waitWords   = words("1ms 300ms 1s 2s 2s 5s 5s 11s 11s 30s 70s 3m 15m")
	stepWords   = words("say say say say say say stream stream stream ping ping ping accept accept other network job job wait wait wait wait wait wait leave")
	leaveWords  = words("drain force")
)

func drawTrial(r *rapid.T, machine fsm.Config) trial {
	d := trial{
		machine: machine,
		silence: rapid.SampledFrom([]time.Duration{0, 0, 20 * time.Second}).Draw(r, "silence"),
		seed:    rapid.Uint64Range(0, 7).Draw(r, "seed"),
	}
	// Most slices that rapid draws are short; three of them are long enough.
	for range 3 {
		d.steps = append(d.steps, rapid.SliceOfN(rapid.Custom(drawStep), 0, 40).Draw(r, "steps")...)
	}
	return d
}

func drawStep(r *rapid.T) string {
	of := func(words []string) string { return rapid.SampledFrom(words).Draw(r, "word") }
	switch kind := of(stepWords); kind {
	case "say":
		return "say " + of(sayWords)
	case "stream":
		return "control stream=" + of(streamWords)
	case "ping":
		return "control ping=" + of(pingWords)
	case "accept":
		return "control accept=" + of(acceptWords)
	case "other":
		return "control " + of(otherWords)
	case "network":
		return "network " + of([]string{"dark", "light", "light"})
	case "job":
		return "job end"
	case "wait":
		return "wait " + of(waitWords)
	default:
		return of(leaveWords)
	}
}

// String returns the steps so far as a script.
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

// run returns the first violation of a rule, or "".
func (d *trial) run(t *testing.T) string {
	t.Helper()
	c := newControl()
	d.checker = newChecker(c, d.machine, d.silence)
	d.harness = newHarness(t, c, d.checker.handler(c.mux))
	defer d.close()
	d.jobStarted, d.jobEnded = d.checker.jobStarted, d.checker.jobEnded
	d.start(t, worker.Config{
		Machine:      d.machine,
		RunJob:       d.checker.checkJobs(d.runJob),
		Observe:      d.checker.observe,
		SilenceLimit: d.silence,
		Rand:         rand.New(rand.NewPCG(1, d.seed)), //nolint:gosec // drawn
	})
	for _, step := range d.steps {
		synctest.Wait()
		d.done = append(d.done, step)
		d.do(step)
		synctest.Wait()
		if violation := d.check(); violation != "" {
			return violation
		}
	}
	d.done = append(d.done, "# and without faults")
	return d.recover()
}

// do does one step. A step that is not possible now does nothing.
func (d *trial) do(step string) {
	verb, what, _ := strings.Cut(step, " ")
	switch verb {
	case "say":
		d.say(what)
	case "control":
		kind, response, _ := strings.Cut(what, "=")
		d.control.set(kind, response)
	case "network":
		d.network.Dark.Store(what == "dark")
		d.checker.mu.Lock()
		defer d.checker.mu.Unlock()
		d.checker.loseBytes()
	case "job":
		select {
		case d.job <- struct{}{}:
		default:
		}
	case "drain":
		d.worker.Drain()
	case "force":
		d.worker.Force()
		synctest.Wait()
		d.checker.mu.Lock()
		defer d.checker.mu.Unlock()
		if id := d.checker.command; id != "" {
			d.checker.failf("%s still runs after force", id)
		}
	case "wait":
		length, err := time.ParseDuration(what)
		if err != nil {
			panic(err) // waitWords is wrong
		}
		time.Sleep(length)
	}
}

// sayEvents are the events that a worker receives for the messages on an intact
// stream.
var sayEvents = map[string]fsm.EventKind{
	"resume": fsm.ReceivedResume, "empty": fsm.ReceivedResume, "pause": fsm.ReceivedPause,
	"disconnect": fsm.ReceivedDisconnect, "job": fsm.ReceivedJob, "lose": fsm.StreamLost,
}

// say sends a message on the stream, and checks that the worker receives it at
// once.
func (d *trial) say(message string) {
	c := d.checker
	word, id, _ := strings.Cut(message, ":")
	kind, certain := sayEvents[word]
	c.mu.Lock()
	certain = certain && c.intact && c.state != fsm.Stopped
	if word == "end" && c.intact && c.facts.Stream == fsm.StreamUp && c.state != fsm.Stopped {
		kind, certain = fsm.StreamEnded, true
	}
	before := c.received[kind]
	if id != "" && c.stream != nil {
		c.offer(id)
		if certain && c.offered[id] {
			c.expected[id] = true
		}
	}
	c.mu.Unlock()
	if !d.control.trySay(message) {
		return
	}
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	if certain && c.received[kind] == before {
		c.failf("the worker has not received %s from the stream", message)
	}
}
