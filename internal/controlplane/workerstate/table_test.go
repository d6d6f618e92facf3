package workerstate_test

import (
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

func states() []workerstate.State { return append([]workerstate.State{""}, workerstate.States()...) }

// workers returns a worker in the state for every combination of facts that a
// guard reads.
func workers(s workerstate.State) []workerstate.Worker {
	befores := []workerstate.State{""}
	if s == workerstate.Lost {
		befores = []workerstate.State{workerstate.Available, workerstate.Paused, workerstate.Draining, workerstate.Stopped}
	}
	var list []workerstate.Worker
	for _, was := range befores {
		for _, by := range []workerstate.PausedBy{"", workerstate.ByOperator, workerstate.ByJob} {
			for _, last := range []bool{false, true} {
				for _, revoked := range []bool{false, s == workerstate.Left} {
					list = append(list, workerstate.Worker{State: s, Was: was, PausedBy: by, LastJob: last, Revoked: revoked})
				}
			}
		}
	}
	return list
}

func events(k workerstate.EventKind) []workerstate.Event {
	var list []workerstate.Event
	for _, by := range []workerstate.PausedBy{workerstate.ByOperator, workerstate.ByWorker, workerstate.ByJob} {
		for _, reason := range []string{"", "why"} {
			list = append(list, workerstate.Event{Kind: k, By: by, Reason: reason})
		}
	}
	return list
}

// each calls f with every state, event and combination of facts.
func each(f func(workerstate.Worker, workerstate.Event)) {
	for _, s := range states() {
		for _, k := range workerstate.EventKinds() {
			for _, w := range workers(s) {
				for _, ev := range events(k) {
					f(w, ev)
				}
			}
		}
	}
}

// TestTotality checks that every state answers every event for all facts: by a
// row, or by an entry of the ignored list, never by both and never by neither.
func TestTotality(t *testing.T) {
	t.Parallel()
	type pair struct {
		from workerstate.State
		on   workerstate.EventKind
	}
	ignored := map[pair]bool{}
	for _, p := range workerstate.IgnoredPairs() {
		if ignored[pair{p.From, p.On}] || p.Why == "" {
			t.Errorf("%q, %v: ignored twice, or without a reason", p.From, p.On)
		}
		ignored[pair{p.From, p.On}] = true
	}
	taken := map[string]bool{}
	each(func(w workerstate.Worker, ev workerstate.Event) {
		_, d := workerstate.Next(w, ev)
		if (d.Row == nil) != ignored[pair{w.State, ev.Kind}] {
			t.Fatalf("%+v, %+v: has no row and is not ignored, or both", w, ev)
		}
		if d.Row != nil {
			taken[string(w.State)+" "+d.Row.Name()] = true
		}
	})
	rows := workerstate.Rows()
	for i := range rows {
		if name := string(rows[i].From) + " " + rows[i].Name(); !taken[name] {
			t.Errorf("%s: no facts take this row, or two rows have one name", name)
		}
	}
}

// TestInvariants checks what must be true of every worker after every event.
func TestInvariants(t *testing.T) {
	t.Parallel()
	each(func(w workerstate.Worker, ev workerstate.Event) {
		after, d := workerstate.Next(w, ev)
		switch {
		case d.Refusal != "" && d.Changed:
			t.Errorf("%+v, %+v: refused and changed", w, ev)
		case w.State == workerstate.Left && after.State != workerstate.Left, w.Revoked && !after.Revoked:
			t.Errorf("%+v, %+v: a worker that had left is back", w, ev)
		case (after.State == workerstate.Lost) != (after.Was != ""):
			t.Errorf("%+v, %+v: became %+v, which knows no state to return to, or is not lost", w, ev, after)
		case w.State == workerstate.Paused && w.PausedBy == workerstate.ByOperator && ev.By != workerstate.ByOperator &&
			after.State == workerstate.Available:
			t.Errorf("%+v, %+v: a pause of the operator was lifted by another", w, ev)
		case (w.State == workerstate.Draining || w.State == workerstate.Stopped) && after.MayBeAssigned():
			t.Errorf("%+v, %+v: a drain was undone", w, ev)
		}
	})
}
