package worldtest

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"pgregory.net/rapid"

	"github.com/switchyard-ci/switchyard/fsm"
)

var worldLog = flag.String("world-log", "", "file for the log of every world of the test")

func worldLogger() *zap.Logger {
	if *worldLog == "" {
		return zap.NewNop()
	}
	file, err := os.OpenFile(*worldLog, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		panic(err)
	}
	return fileLogger(file)
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// TestWorldKeepsThePromises draws what happens to a control plane and its agents, and
// then lets the world behave. Every stored change must be one of the tables, no job may
// start twice or on a machine without its tags, every job for which there is a machine must
// end, and what an agent knew of a result is recorded.
func TestWorldKeepsThePromises(t *testing.T) {
	submitted, started, ended := 0, 0, 0
	rapid.Check(t, func(r *rapid.T) {
		// Everything is drawn before the bubble begins, so that nothing in it depends
		// on rapid.
		p := drawPlot(r)
		var broken error
		inBubble(t, func(t *testing.T) {
			var w *world
			broken = p.play(t, func(of *world) { w = of })
			submitted, started, ended = submitted+len(w.submitted), started+len(w.starts), ended+len(w.results)
		})
		if broken != nil {
			r.Fatalf("%v\nafter\n%v", broken, p)
		}
	})
	t.Logf("%d jobs were submitted, %d started, %d ended", submitted, started, ended)
	if submitted == 0 || started == 0 || ended == 0 {
		t.Error("the worlds run no jobs")
	}
}

// inBubble runs f in a bubble. Garbage collection drops the timers that nats.go keeps
// for later use, because those of another bubble cannot be used in this one: it takes
// two, the second of which empties what sync.Pool saves from the first.
func inBubble(t *testing.T, f func(t *testing.T)) {
	t.Helper()
	runtime.GC()
	runtime.GC()
	synctest.Test(t, f)
}

// pass lets virtual time pass, and waits until everything that is due has been done. It
// panics outside a bubble. Only one goroutine of a bubble may call it.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// plot is a world and what happens in it.
type plot struct {
	replicas int
	modes    []fsm.Mode
	steps    []string
}

func words(list string) []string { return strings.Fields(list) }

var (
	stepWords   = words("submit submit submit submit wait wait wait wait wait wait wait cancel worker worker fault fault fault fault slow slow network network agent agent replica replica storage clock")
	tagsWords   = words("- - - os=linux os=mac gpu=* os=linux,gpu=* os=bsd")
	takesWords  = words("10ms 1s 3s 10s 10s 40s 3m")
	waitWords   = words("1ms 300ms 1s 2s 2s 5s 5s 11s 11s 31s 45s 2m 4m")
	workerWords = words("pause resume resume stop stop-force revoke")
	routeWords  = words("ping accept accept start start finish finish heartbeat register connect disconnect state StreamPings SubmitJob CancelJob")
	faultWords  = words("ok ok lose-request lose-answer lose-answer lose-answer repeat hang busy delay")
	netWords    = words("dark light light cut cut")
	agentWords  = words("kill restart restart drain")
	upWords     = words("kill start restart restart")
	clockWords  = words("2h -3h 26h")
)

func drawPlot(r *rapid.T) plot {
	p := plot{
		replicas: rapid.IntRange(1, 2).Draw(r, "replicas"),
		modes: rapid.SliceOfN(rapid.SampledFrom([]fsm.Mode{fsm.Auto, fsm.Auto, fsm.PollOnly, fsm.StreamOnly}), 1, 3).
			Draw(r, "modes"),
	}
	for range 2 { // most slices that rapid draws are short
		p.steps = append(p.steps, rapid.SliceOfN(rapid.Custom(drawStep), 0, 25).Draw(r, "steps")...)
	}
	return p
}

func drawStep(r *rapid.T) string {
	of := func(words []string) string { return rapid.SampledFrom(words).Draw(r, "word") }
	number := func(below int) string { return strconv.Itoa(rapid.IntRange(0, below-1).Draw(r, "number")) }
	switch kind := of(stepWords); kind {
	case "submit":
		return "submit " + of(takesWords) + " " + of(words("0 0 0 7")) + " " + of(words("0 0 20s")) + " " + of(words("0 1 2")) + " " + of(tagsWords)
	case "wait":
		return "wait " + of(waitWords)
	case "cancel":
		return "cancel " + number(6)
	case "worker":
		return "worker " + of(workerWords) + " " + number(3)
	case "fault":
		return "fault " + of(routeWords) + " " + of(faultWords)
	case "slow":
		return "slow " + of(words("accept start start finish")) + " " + of(words("5s 9s 11s 14s"))
	case "network":
		return "network " + of(netWords) + " " + number(3)
	case "agent":
		return "agent " + of(agentWords) + " " + number(3)
	case "replica":
		return "replica " + of(upWords) + " " + number(2)
	case "storage":
		return "storage " + of(upWords)
	default:
		return "clock " + of(clockWords) + " " + number(2)
	}
}

// String returns the plot as text.
func (p plot) String() string {
	return fmt.Sprintf("replicas %d, agents %v\n%s", p.replicas, p.modes, strings.Join(p.steps, "\n"))
}

// play runs the plot in the bubble of t and returns the promises that were broken. A
// trial may change the world before it begins.
func (p plot) play(t *testing.T, change func(*world)) error {
	t.Helper()
	w := newWorld(t, p.replicas, p.modes...)
	defer w.close()
	if change != nil {
		change(w)
	}
	pass(time.Second)
	for _, step := range p.steps {
		w.do(words(step))
	}
	err := w.behave()
	w.calls.Wait()
	return errors.Join(w.check(), err)
}

// do does one step. A step that is not possible now does nothing.
func (w *world) do(step []string) {
	number := func(i, below int) int {
		n, err := strconv.Atoi(step[i])
		must(w.t, err)
		return n % below
	}
	length := func(i int) time.Duration {
		if step[i] == "0" {
			return 0
		}
		d, err := time.ParseDuration(step[i])
		must(w.t, err)
		return d
	}
	switch step[0] {
	case "submit":
		w.submit(step[1], step[2], length(3), int32(number(4, 11)), tagsOf(step, 5)...) //nolint:gosec // at most 10
	case "wait":
		pass(length(1))
	case "cancel":
		w.cancel(number(1, 100))
	case "worker":
		if id := w.agents[number(2, len(w.agents))].workerID(); id != "" {
			w.control(step[1], id)
		}
	case "fault":
		if step[1] != "StreamPings" || step[2] != string(repeat) { // a stream ends when its client wants
			w.faults.put(step[1], fault(step[2]))
		}
	case "slow": // calls about a job are late while it is offered, and another worker is free
		w.submit("40s", "0", 0, 1)
		w.faults.put(step[1], delay)
		pass(length(2))
		w.faults.put(step[1], noFault)
	case "network":
		a := w.agents[number(2, len(w.agents))]
		switch step[1] {
		case "dark":
			a.cut(true)
		case "light":
			a.light()
		case "cut":
			a.cut(false)
		}
	case "agent":
		w.doAgent(step[1], number(2, len(w.agents)))
	case "replica":
		i := number(2, len(w.replicas))
		if step[1] != "start" {
			w.killReplica(i)
		}
		if step[1] != "kill" {
			w.startReplica(i)
		}
	case "storage":
		if step[1] != "start" {
			w.storage.stop()
		}
		if step[1] != "kill" && w.storage.isDown() {
			must(w.t, w.storage.start())
		}
	case "clock":
		w.clocks[number(2, len(w.clocks))].set(length(1))
	}
	synctest.Wait()
}

func (w *world) doAgent(what string, i int) {
	a := w.agents[i]
	if what == "drain" {
		a.drain()
		return
	}
	a.kill()
	if what == "restart" {
		w.agents[i] = w.startAgent(a.machine, uint64(i)) //nolint:gosec // small
	}
}
