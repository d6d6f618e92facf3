package fsm

import (
	"fmt"
	"reflect"
	"testing"
)

// combinations calls f with every combination of the facts that guards read and
// every representative event. f must not change the facts.
func combinations(f func(facts *Facts, ev Event)) {
	bools := []bool{false, true}
	for _, mode := range Modes() {
		for _, stream := range valuesOf[StreamStatus](streamStatusCount) {
			for _, paused := range bools {
				for _, leaving := range []LeaveReason{Staying, Drained} {
					for _, retiring := range []LeaveReason{Staying, JobDone} {
						for _, work := range []string{"", "job", "ping", "old ping", "last ping"} {
							for _, mailbox := range [][]JobID{nil, {"waiting"}, {"in hand", "waiting"}} {
								facts := Facts{
									Mode: mode, RetireAfterJob: retiring != Staying, Stream: stream, Connection: 2,
									Paused: paused, Leaving: leaving, Retiring: retiring,
									Ping: 2, Pinging: work != "" && work != "job", PingIsOld: work == "old ping" || work == "last ping",
									IdleExpired: work == "last ping" && !paused,
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

// representatives returns events of every kind: of the current connection, ping
// or job, of one that is over, and of one to come.
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
		case ofConnection(kind) || kind.Class() == ClassAnswer:
			for epoch := range Epoch(4) {
				events = append(events, Event{Kind: kind, Epoch: epoch})
			}
		case kind.Class() == ClassJobEnd:
			events = append(events, Event{Kind: kind, Job: "in hand"}, Event{Kind: kind, Job: "seen"})
		default:
			events = append(events, ev)
		}
	}
	return events
}

// TestTotality shows that the table has exactly one answer to every state, event
// and combination of facts: a row, or a reason to ignore the event. Every row and
// every ignored pair is used.
func TestTotality(t *testing.T) {
	t.Parallel()
	rows := map[string]bool{}
	pairs := map[string]bool{}
	key := func(s State, what fmt.Stringer) string { return s.String() + " / " + what.String() }
	for _, s := range States() {
		combinations(func(facts *Facts, ev Event) {
			d := defaultTable.Next(s, facts, ev)
			switch {
			case d.Row == nil && d.Ignored == "":
				t.Fatalf("%v, %v: no answer; the facts are %+v", s, ev, *facts)
			case d.Row != nil && d.Ignored != "":
				t.Fatalf("%v, %v: two answers; the facts are %+v", s, ev, *facts)
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
			t.Errorf("the pair %v / %v is listed as ignored, but always has a row", p.From, p.On)
		}
	}
}

// TestTableHasNoDuplicates shows that no two rows of a state have the same name:
// looplab would silently keep the last one.
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

// TestRowsAreGrouped shows that the rows of one state, and within it those of one
// event, are together, and that a row that always holds is the last of its event.
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

// TestAdvanceIsPure shows that Advance does not change its arguments.
func TestAdvanceIsPure(t *testing.T) {
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
