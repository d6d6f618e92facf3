package verify

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
)

// TestEveryPropertyHolds explores a small world with every kind of worker;
// `switchyard fsm verify` explores the default one.
func TestEveryPropertyHolds(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	r, err := Check(t.Context(), Options{Bounds: smallBounds()})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range r.Violations {
		t.Errorf("%s: %s\n%s", v.Worker, v.Property, v.Script)
	}
	if len(r.Runs) != len(smallBounds().subjects()) || len(r.Rows) != len(fsm.Rows()) {
		t.Errorf("%d kinds of worker and %d rows in the report", len(r.Runs), len(r.Rows))
	}
}

// TestCheckIsDeterministic shows that two checks differ only in their times.
func TestCheckIsDeterministic(t *testing.T) {
	t.Parallel()
	var reports [2]*Report
	for i := range reports {
		r, err := Check(t.Context(), Options{Bounds: smallBounds(), Modes: []fsm.Mode{fsm.PollOnly, fsm.Acquire}, Workers: i + 1})
		if err != nil {
			t.Fatal(err)
		}
		r.Seconds, r.StatesPerSecond = 0, 0
		for j := range r.Runs {
			r.Runs[j].Seconds = 0
		}
		reports[i] = r
	}
	if !reflect.DeepEqual(reports[0], reports[1]) {
		t.Errorf("one check found\n%+v\nand another\n%+v", reports[0], reports[1])
	}
}

// oneGoroutine skips a long test that uses one goroutine, under the race detector.
func oneGoroutine(t *testing.T) {
	t.Helper()
	if underRace {
		t.Skip("one goroutine has no races")
	}
}

// small returns the explored space of a small world.
func small(t *testing.T, of subject) *space {
	t.Helper()
	oneGoroutine(t)
	s, err := exploreSubject(t.Context(), of, smallOptions(fsm.Advance), false)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// withCrashes returns the kinds of workers, each with crashes.
func withCrashes() []subject {
	var all []subject
	for _, c := range configs() {
		if !c.RetireAfterJob {
			all = append(all, subject{config: c, may: crashing})
		}
	}
	return all
}

// TestPackedIsWhole shows that pack loses nothing of a world, nor situate of a
// machine.
func TestPackedIsWhole(t *testing.T) {
	t.Parallel()
	for _, of := range withCrashes() {
		t.Run(of.name(), func(t *testing.T) {
			t.Parallel()
			isWhole(t, small(t, of))
		})
	}
}

func isWhole(t *testing.T, s *space) {
	t.Helper()
	for number := 0; number < s.States(); number += 3 { // a third of them has every part
		var w world
		w.unpack(s.State(number))
		for _, next := range s.generator.successors(&w) {
			var again world
			again.unpack(next.world.pack())
			if again != next.world {
				t.Fatalf("%+v becomes %+v", next.world, again)
			}
		}
	}
	m := s.generator.situations
	for _, at := range m.all {
		f := at.facts(m.config)
		if again := situate(at.state, &f, nowConnection); again != at {
			t.Fatalf("%+v becomes %+v", at, again)
		}
	}
}

// TestScriptsReplay writes the paths to some states as scripts, and runs them
// with package replay: the answers are the same.
func TestScriptsReplay(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	for _, of := range withCrashes() {
		t.Run(of.name(), func(t *testing.T) {
			t.Parallel()
			s := small(t, of)
			const some = 97
			for number := 1; number < s.States(); number += max(1, s.States()/some) {
				replays(t, s.script("nothing is wrong", s.PathTo(number)))
			}
		})
	}
}

// replays runs a script with package replay.
func replays(t *testing.T, script string) {
	t.Helper()
	var p replay.Replay
	if err := p.Read("script", strings.NewReader(script)); err != nil {
		t.Errorf("%v\n%s", err, script)
	}
}

// TestViolationHasShortestScript shows that a violation comes with a shortest
// path to it.
func TestViolationHasShortestScript(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	for _, c := range []struct {
		mutant, property string
		last             string // lines of the script
		events           int
	}{
		{
			"rule removed: once: what was started is forgotten", "a job is started twice",
			"StreamHealthy -> Running [not paused, not seen]\n  start job J1\n", 4,
		},
		{
			"rule removed: sticky: a resume revokes a disconnect", "a worker that must leave stays without work",
			"JobRejected job=J1\n----\nRunning -> StreamHealthy [stream up]\n", 5,
		},
		{
			"row dropped: StreamHealthy / ReceivedResume [mailbox has job]",
			"a job waits in the mailbox although it could start",
			"ReceivedResume epoch=1\n----\nStreamHealthy [otherwise]\n", 4,
		},
	} {
		t.Run(c.mutant, func(t *testing.T) {
			t.Parallel()
			all := allMutants()
			i := slices.IndexFunc(all, func(m mutant) bool { return m.name() == c.mutant })
			r, err := run(t.Context(), subject{config: fsm.Config{Mode: fsm.Auto}, may: pausing}, smallOptions(all[i].advance), true)
			if err != nil {
				t.Fatal(err)
			}
			if len(r.violations) == 0 || r.violations[0].Property != c.property {
				t.Fatalf("not the violation of %q: %v", c.property, r.violations)
			}
			script := r.violations[0].Script
			if n := strings.Count(script, "----\n"); n != c.events || !strings.HasSuffix(script, c.last) {
				t.Errorf("%d events:\n%s", n, script)
			}
		})
	}
}

func TestReport(t *testing.T) {
	t.Parallel()
	r, err := Check(t.Context(), Options{Bounds: smallBounds(), Modes: []fsm.Mode{fsm.PollOnly}})
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	if err := r.WriteText(&b, true); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1 job,", "any number of losses", "poll-only, one job", "PollDue [polling allowed]", "Every property holds"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report does not contain %q:\n%s", want, b.String())
		}
	}
	if never := r.NeverTaken; len(never) != 0 {
		t.Errorf("with modes left out, %d rows count as never taken", len(never))
	}
}

// TestReportOfViolations shows the report of a wrong machine, and the names of its
// scripts.
func TestReportOfViolations(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	all := allMutants()
	i := slices.IndexFunc(all, func(m mutant) bool {
		return m.kind == "row dropped" && m.row.From == fsm.Running && m.row.On == fsm.JobRejected
	})
	modes := []fsm.Mode{fsm.StreamOnly, fsm.PollOnly}
	r, err := Check(t.Context(), Options{Bounds: smallBounds(), Advance: all[i].advance, Modes: modes})
	if err != nil {
		t.Fatal(err)
	}
	r = newReport(r.Bounds, append(r.Runs, Run{Mode: fsm.Auto}, Run{Mode: fsm.Acquire}), time.Second) // as if all were explored
	if r.OK || len(r.Violations) == 0 || len(r.NeverTaken) == 0 {
		t.Fatalf("%d violations, %d rows never taken", len(r.Violations), len(r.NeverTaken))
	}
	var b strings.Builder
	if err := r.WriteText(&b, false); err != nil {
		t.Fatal(err)
	}
	if text := b.String(); strings.Contains(text, "Every property holds") ||
		!strings.Contains(text, "\nVIOLATION (stream-only): ") || !strings.Contains(text, "\nNever taken: Running / JobRejected [leaving] -> Stopped\n") {
		t.Errorf("the report does not name what is wrong:\n%s", text)
	}
	files := map[string]bool{}
	for j := range r.Violations {
		files[r.Violations[j].FileName()] = true
	}
	if len(files) != len(r.Violations) {
		t.Errorf("%d names for %d violations: %v", len(files), len(r.Violations), files)
	}
	v := Violation{Worker: configName(fsm.Config{Mode: fsm.StreamOnly, RetireAfterJob: true}), Property: "arm poll now after JobFinished, it's wrong"}
	if got := v.FileName(); got != "arm_poll_now_after_jobfinished_it_s_wrong_stream_only_one_job.txt" {
		t.Errorf("a script is called %s", got)
	}

	var read Report
	text, err := json.Marshal(r)
	if err == nil {
		err = json.Unmarshal(text, &read)
	}
	if err != nil {
		t.Fatal(err)
	}
	if read.OK || read.Table != fsm.TableHash() || read.Bounds != smallBounds() || len(read.Runs) != len(r.Runs) ||
		len(read.Rows) != len(fsm.Rows()) || len(read.NeverTaken) != len(r.NeverTaken) || len(read.Violations) != len(r.Violations) ||
		read.Violations[0].Script != r.Violations[0].Script {
		t.Errorf("as JSON: %s", text)
	}
}

func TestCheckRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		names  string
		bounds Bounds
	}{
		{"jobs", Bounds{}},
		{"jobs", Bounds{Jobs: 4, InFlight: 4}},
		{"in-flight", Bounds{Jobs: 2, InFlight: 2}},
		{"in-flight", Bounds{Jobs: 2, InFlight: 5}},
		{"losses", Bounds{Jobs: 1, InFlight: 2, Losses: 16}},
		{"pauses", Bounds{Jobs: 1, InFlight: 2, Pauses: 16}},
		{"together", Bounds{Jobs: 1, InFlight: 2}},
		{"together", Bounds{Jobs: 1, InFlight: 2, Together: 4}},
	} {
		if _, err := Check(t.Context(), Options{Bounds: c.bounds}); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%+v: %v, which does not name %s", c.bounds, err, c.names)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	because := errors.New("enough")
	cancel(because)
	if _, err := Check(ctx, Options{Bounds: smallBounds()}); !errors.Is(err, because) {
		t.Errorf("with a context that ended: %v", err)
	}
}

// BenchmarkExplore measures states and transitions per second.
func BenchmarkExplore(b *testing.B) {
	states, transitions := 0, 0
	for b.Loop() {
		of := subject{config: fsm.Config{Mode: fsm.Auto}, may: pausing}
		s, err := exploreSubject(b.Context(), of, smallOptions(fsm.Advance), false)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.checkLiveness(b.Context(), of); err != nil {
			b.Fatal(err)
		}
		states += s.States()
		transitions += s.Transitions()
	}
	b.ReportMetric(float64(states)/b.Elapsed().Seconds(), "states/s")
	b.ReportMetric(float64(transitions)/b.Elapsed().Seconds(), "transitions/s")
}
