package fsm

import (
	"fmt"
	"reflect"
	"testing"
)

// combinations calls f with every combination of the facts that guards read,
// and with the events of each kind that tell something apart: of this
// connection, ping or job, and of one that is over.
func combinations(f func(facts *Facts, ev Event)) {
	bools := []bool{false, true}
	for mode := range Mode(modeCount) {
		for stream := range StreamStatus(streamStatusCount) {
			for _, paused := range bools {
				for _, leaving := range []LeaveReason{Staying, Drained} {
					for _, retiring := range []LeaveReason{Staying, JobDone} {
						for _, work := range []string{"", "job", "ping", "old ping"} {
							for _, mailbox := range [][]JobID{nil, {"waiting"}, {"in hand", "waiting"}} {
								facts := Facts{
									Mode: mode, RetireAfterJob: retiring != Staying, Stream: stream, Connection: 2,
									Paused: paused, Leaving: leaving, Retiring: retiring,
									Ping: 2, Pinging: work == "ping" || work == "old ping", PingIsOld: work == "old ping",
								}
								facts.Seen.add("seen")
								if work == "job" {
									facts.Job = "in hand"
									facts.Seen.add("in hand")
								}
								facts.Mailbox = MailboxOf(mailbox...)
								for _, ev := range representatives() {
									f(&facts, ev)
								}
							}
						}
					}
				}
			}
		}
	}
}

func representatives() []Event {
	var events []Event
	for _, kind := range EventKinds() {
		ev := Event{Kind: kind}
		switch {
		case kind == ReceivedJob || kind == AnsweredJob:
			for _, job := range []JobID{"new", "seen", "in hand", "waiting"} {
				for epoch := range Epoch(4) {
					events = append(events, Event{Kind: kind, Epoch: epoch, Job: job})
				}
			}
		case ev.ofConnection() || ev.ofPing():
			for epoch := range Epoch(4) {
				events = append(events, Event{Kind: kind, Epoch: epoch})
			}
		case ev.ofJob():
			events = append(events, Event{Kind: kind, Job: "in hand"}, Event{Kind: kind, Job: "seen"})
		default:
			events = append(events, ev)
		}
	}
	return events
}

// TestTotality walks every state, event and combination of facts, and finds one
// answer for each: a row, or a reason to ignore the event. No row and no ignored
// pair is without use.
func TestTotality(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	pairs := map[string]bool{}
	key := func(s State, what fmt.Stringer) string { return s.String() + " / " + what.String() }
	for _, s := range States() {
		combinations(func(facts *Facts, ev Event) {
			d := Next(s, facts, ev)
			switch {
			case d.Row == nil && d.Ignored == "":
				t.Fatalf("%v, %v: no answer with facts %+v", s, ev, *facts)
			case d.Row != nil && d.Ignored != "":
				t.Fatalf("%v, %v: two answers with facts %+v", s, ev, *facts)
			case d.Row != nil:
				rows[s.String()+" / "+d.Name] = true
			case d.Ignored == defaultTable.groups[s][ev.Kind].ignored:
				pairs[key(s, ev.Kind)] = true
			}
		})
	}
	for i := range table {
		if r := &table[i]; !rows[r.From.String()+" / "+r.Name()] {
			t.Errorf("the row %v / %s is never taken", r.From, r.Name())
		}
	}
	for _, p := range ignored {
		if !pairs[key(p.From, p.On)] {
			t.Errorf("the pair %v / %v is listed as ignored, but is always answered", p.From, p.On)
		}
	}
}

// TestTableHasNoDuplicates guards against looplab's silence: of two rows with
// one name and one state it keeps the last.
func TestTableHasNoDuplicates(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	for i := range table {
		key := table[i].From.String() + " / " + table[i].Name()
		if rows[key] {
			t.Errorf("two rows are named %s", key)
		}
		rows[key] = true
	}
	pairs := map[string]bool{}
	for _, p := range ignored {
		key := p.From.String() + " / " + p.On.String()
		if pairs[key] {
			t.Errorf("%s is ignored twice", key)
		}
		pairs[key] = true
		if p.Why == "" {
			t.Errorf("%s is ignored without a reason", key)
		}
	}
}

// TestRowsAreGrouped holds the table to the form in which it is read: the rows
// of one state, and within it those of one event, stand together, and the ones
// that always hold stand last.
func TestRowsAreGrouped(t *testing.T) {
	t.Parallel()
	closed := map[string]bool{}
	for i := range table {
		r := &table[i]
		group := r.From.String() + " / " + r.On.String()
		if closed[group] {
			t.Errorf("%s / %s comes after a row that always holds, or after another group", group, r.Name())
		}
		last := r.When.Name == "" || r.When.Name == otherwise.Name
		if i > 0 {
			before := &table[i-1]
			if before.From > r.From {
				t.Errorf("%s comes after the rows of %v", group, before.From)
			}
			if before.From == r.From && before.On > r.On {
				t.Errorf("%s comes after %v", group, before.On)
			}
		}
		closed[group] = last
	}
}

// TestNextIsPure shows that a look at the table changes no fact.
func TestNextIsPure(t *testing.T) {
	t.Parallel()
	for _, s := range []State{Running, Reclaiming} {
		combinations(func(facts *Facts, ev Event) {
			before := *facts
			Advance(s, facts, ev)
			if !reflect.DeepEqual(before, *facts) {
				t.Fatalf("%v, %v: facts were %+v and are %+v", s, ev, before, *facts)
			}
		})
	}
}
