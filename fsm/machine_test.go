package fsm

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	looplab "github.com/looplab/fsm"
	"pgregory.net/rapid"
)

// TestMachineFollowsTheTable drives a Machine and Advance with the same random
// events. After each both have the same state, facts and effects, and the
// invariants of the design hold.
func TestMachineFollowsTheTable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, machineFollowsTheTable)
}

// FuzzStep does the same with events that the fuzzer chooses.
func FuzzStep(f *testing.F) { f.Fuzz(rapid.MakeFuzz(machineFollowsTheTable)) }

func machineFollowsTheTable(t *rapid.T) {
	config := Config{
		Mode:           rapid.SampledFrom([]Mode{Auto, StreamOnly, PollOnly, Acquire}).Draw(t, "mode"),
		RetireAfterJob: rapid.Bool().Draw(t, "after job"),
	}
	if config.Mode == Acquire {
		config.AcquireJob = "J0"
	}
	m, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	state, facts := m.State(), m.facts
	started := map[JobID]int{}
	rejected := map[JobID]int{}
	step := func(ev Event) {
		wantState, wantFacts, wantEffects, decision := Advance(state, &facts, ev)
		effects, err := m.Step(ev)
		if err != nil {
			t.Fatalf("%v in %v: %v", ev, state, err)
		}
		for _, e := range effects {
			if e.Kind == StartJob || e.Kind == AcquireJob {
				started[e.Job]++
			}
		}
		if ev.Kind == JobRejected && decision.Row != nil {
			rejected[ev.Job]++
		}
		if got := m.State(); got != wantState {
			t.Fatalf("%v in %v: the machine is in %v, and the table in %v", ev, state, got, wantState)
		}
		if got, want := fmt.Sprint(effects), fmt.Sprint(wantEffects); got != want {
			t.Fatalf("%v in %v: the machine's effects are %s, the table's %s", ev, state, got, want)
		}
		if got, want := fmt.Sprintf("%+v", m.facts), fmt.Sprintf("%+v", wantFacts); got != want {
			t.Fatalf("%v in %v: the machine's facts are %s, the table's %s", ev, state, got, want)
		}
		state, facts = wantState, wantFacts
		if broken := invariant(state, &facts); broken != "" {
			t.Fatalf("after %v in %v: %s; facts %+v", ev, state, broken, facts)
		}
		for job, n := range started {
			if n > rejected[job]+1 {
				t.Fatalf("%s was started %d times and rejected %d times", job, n, rejected[job])
			}
		}
	}
	step(config.Start())
	for range rapid.IntRange(1, 60).Draw(t, "length") {
		step(drawEvent(t, &facts))
	}
}

// drawEvent draws an event that can occur, or sometimes a stale one.
func drawEvent(t *rapid.T, facts *Facts) Event {
	kinds := slices.DeleteFunc(EventKinds(), func(k EventKind) bool { return k == Started })
	ev := Event{Kind: rapid.SampledFrom(kinds).Draw(t, "event")}
	if ofConnection(ev.Kind) && (facts.Mode == PollOnly || facts.Mode == Acquire) {
		ev.Kind = PollDue // no stream was opened
	}
	late := rapid.IntRange(0, 9).Draw(t, "late") == 0
	switch {
	case ofConnection(ev.Kind):
		ev.Epoch = facts.Connection
		if ev.Epoch == 0 && ev.Kind != TrustExpired {
			ev.Epoch = 1
		}
	case ev.Kind.Class() == ClassAnswer:
		ev.Epoch = facts.Ping
	case ev.Kind.Class() == ClassJobEnd:
		ev.Job = facts.Job
	}
	if late && ev.Epoch > 0 {
		ev.Epoch--
	}
	if ev.Kind == ReceivedJob || ev.Kind == AnsweredJob || (late && ev.Kind.Class() == ClassJobEnd) {
		ev.Job = rapid.SampledFrom([]JobID{"J1", "J2", "J3", "J4"}).Draw(t, "job")
	}
	// A connection ends as planned only after a message.
	if ev.Kind == StreamEnded && !facts.Stream.Open() {
		ev.Kind = StreamLost
	}
	return ev
}

// ofConnection reports whether an event of the kind carries the epoch of a
// connection.
func ofConnection(k EventKind) bool {
	return k.Class() == ClassMessage || k.Class() == ClassConnectionEnd || k == TrustExpired
}

// invariant returns which invariant of the design does not hold, or "".
func invariant(s State, f *Facts) string {
	inHand := f.Job != ""
	up := f.Stream == StreamUp
	switch {
	case inHand && f.Pinging:
		return "a ping is in flight beside a job"
	case s == Running && !inHand:
		return "Running without a job"
	case (s == PollingBusy || s == Reclaiming) && !inHand && !f.Pinging:
		return "busy without work"
	case (s == StreamHealthy || s == FallingBack) && (inHand || f.Pinging):
		return "work in hand in a state without work"
	case (s == FallingBack || s == PollingBusy) && up:
		return "the poller is in control while the stream is up"
	case s == Reclaiming && !up:
		return "Reclaiming while the stream is not up"
	case f.Mailbox.Len() > 0 && !f.Stream.Open() && s != Stopped:
		return "the mailbox outlives its connection"
	case f.Leaving != Staying && !inHand && s != Stopped && s != Initial:
		return "leaving without work, and not stopped"
	case f.Mode == StreamOnly && (s == PollingBusy || s == Reclaiming):
		return "polling in stream-only"
	case f.Mode == PollOnly && (s == StreamHealthy || s == Running):
		return "the stream is in control in poll-only"
	case s == StreamHealthy && !f.Paused && f.Mailbox.Len() > 0:
		return "a job waits although it could start"
	}
	return ""
}

func TestConfigIsValidated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		config Config
		names  string // what the error must name; empty for none
	}{
		{"auto", Config{}, ""},
		{"acquire", Config{Mode: Acquire, AcquireJob: "J1"}, ""},
		{"acquire without a job", Config{Mode: Acquire}, "AcquireJob"},
		{"a job without acquire", Config{Mode: PollOnly, AcquireJob: "J1"}, "AcquireJob"},
		{"unknown mode", Config{Mode: 9}, "Mode"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := New(c.config)
			switch {
			case c.names == "" && err != nil:
				t.Errorf("New: %v", err)
			case c.names != "" && (err == nil || !strings.Contains(err.Error(), c.names)):
				t.Errorf("New: %v, which does not name %s", err, c.names)
			}
		})
	}
}

// TestStepBeforeStart shows that a machine that has not started ignores events.
func TestStepBeforeStart(t *testing.T) {
	t.Parallel()
	m, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	effects, err := m.Step(Event{Kind: PollDue})
	if err != nil || len(effects) != 0 || m.State() != Initial {
		t.Errorf("PollDue: %v, %v, in %v", effects, err, m.State())
	}
}

func TestMailbox(t *testing.T) {
	t.Parallel()
	var m Mailbox
	for i := range MailboxSize + 3 {
		id := JobID(fmt.Sprintf("J%02d", i))
		m.add(id)
		m.add(id)
	}
	if m.Len() != MailboxSize || m.Has("J16") || !m.Has("J15") {
		t.Errorf("after too many: %v", m.IDs())
	}
	m.remove("J05")
	m.remove("absent")
	if got := m.take(); got != "J00" || m.Len() != MailboxSize-2 || m.Has("J05") {
		t.Errorf("took %s, and left %v", got, m.IDs())
	}
}

func TestSeenForgetsTheOldest(t *testing.T) {
	t.Parallel()
	var s Seen
	for i := range SeenSize + 2 {
		s.add(JobID(fmt.Sprintf("J%d", i)))
	}
	s.remove("J100")
	for id, want := range map[JobID]bool{"J0": false, "J1": false, "J2": true, "J100": false, "J257": true} {
		if s.Has(id) != want {
			t.Errorf("Has(%s) is %v", id, !want)
		}
	}
	if s.Len() != SeenSize-1 || len(s.IDs()) != SeenSize-1 {
		t.Errorf("remembers %d ids", s.Len())
	}
}

// TestSeenIsAValue keeps a copy after each of many jobs, as a history of records does: each
// copy keeps the IDs that it had, in their order.
func TestSeenIsAValue(t *testing.T) {
	t.Parallel()
	const jobs = 2*SeenSize + seenStep/2
	id := func(i int) JobID { return JobID(strconv.Itoa(i)) }
	var s Seen
	copies := []Seen{s}
	for i := range jobs {
		s.add(id(i))
		copies = append(copies, s)
	}
	s.remove(id(jobs - seenStep))
	s.add("another")
	for n, one := range copies {
		var want []JobID
		for i := max(0, n-SeenSize); i < n; i++ {
			want = append(want, id(i))
		}
		if got := one.IDs(); !slices.Equal(got, want) {
			t.Fatalf("after %d jobs: %q, want %q", n, got, want)
		}
		whole, again := Record{Facts: Facts{Seen: one}}, Record{Facts: Facts{Seen: SeenOf(want...)}}
		if !whole.SameAnswer(&again, true) {
			t.Fatalf("after %d jobs: differs from a memory to which the same IDs were added", n)
		}
	}
}

// TestMachinesAreIndependent runs machines at the same time, which share the table of
// transitions: each has a state of its own, and the same as one that shares nothing.
func TestMachinesAreIndependent(t *testing.T) {
	t.Parallel()
	for range 4 {
		t.Run("machine", func(t *testing.T) {
			t.Parallel()
			shares, err := New(Config{})
			if err != nil {
				t.Fatal(err)
			}
			alone := &Machine{states: looplab.NewFSM(Initial.String(), transitions(table), nil), facts: Config{}.Facts()}
			if shares.State() != Initial {
				t.Fatalf("a new machine is in %v", shares.State())
			}
			events := []Event{Config{}.Start()}
			for i := range 20 {
				round := round(Epoch(2*i+1), Epoch(i+1), JobID(string(rune('a'+i))))
				events = append(events, round[:]...)
			}
			for _, ev := range events {
				got, err := shares.Step(ev)
				want, wantErr := alone.Step(ev)
				if err != nil || wantErr != nil || shares.State() != alone.State() || !slices.Equal(got, want) {
					t.Fatalf("%v: %v in %v (%v), want %v in %v (%v)", ev, got, shares.State(), err, want, alone.State(), wantErr)
				}
			}
			// What is not a row is refused.
			if err := shares.states.Event(t.Context(), "no such row"); err == nil {
				t.Error("a change that is not a row is made")
			}
		})
	}
	if initialStates.Current() != Initial.String() {
		t.Errorf("the machine that others are made from is in %s", initialStates.Current())
	}
}

// TestMemoryOfAMachine bounds what a machine needs besides the table that all share.
func TestMemoryOfAMachine(t *testing.T) {
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := New(Config{}); err != nil {
			t.Fatal(err)
		}
	})
	if allocations > 5 {
		t.Errorf("%v allocations for a machine, want a few: it has a table of its own", allocations)
	}
}
