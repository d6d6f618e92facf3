package fsm

import (
	"reflect"
	"slices"
	"time"
)

// Record is one event of a worker, with the machine's answer. It is a value:
// nothing that it refers to is changed later.
type Record struct {
	// Time is when the driver took the event.
	Time time.Time
	// Worker is the ID under which the worker is registered, and Name its name, if that is
	// known.
	Worker, Name string
	// Event is what happened. Cause is why, in words, if it is known: an error,
	// or the reason of a pause.
	Event Event
	Cause string
	// From and To are the states before and after; they may be the same.
	From, To State
	// Guard is the guard of the row that was taken; empty if the row has none.
	// Ignored is why the event was ignored; empty if a row was taken.
	Guard, Ignored string
	// Effects are what the driver was asked to do, in order.
	Effects []Effect
	// Facts are what the machine knows after the event.
	Facts Facts
	// Folded is how many events the record stands for, of which it is the last one: events
	// by which a worker without a job returned to the same state. Since is the time of the
	// first one. 0 is a record of one event.
	Folded int
	Since  time.Time
}

// SetAnswer sets the answer of a machine to the record's event: the states
// before and after, the decision, its effects, and the facts afterwards.
func (r *Record) SetAnswer(from, to State, d *Decision, effects []Effect, after *Facts) {
	r.From, r.To, r.Ignored, r.Effects, r.Facts = from, to, d.Ignored, effects, *after
	r.Guard = ""
	if d.Row != nil {
		r.Guard = d.Row.When.Name
	}
}

// Record returns the last event, which was taken at that time, and the machine's
// answer to it. Worker and cause are those of the record.
func (m *Machine) Record(at time.Time, worker, cause string) Record {
	r := Record{Time: at, Worker: worker, Event: m.event, Cause: cause}
	r.SetAnswer(m.from, m.State(), &m.last, append([]Effect(nil), m.run.effects...), &m.facts)
	return r
}

// SameAnswer reports whether two records of one event hold the same answer of
// the machine. Of an ignored event the reason is not compared, because its
// wording may change. The jobs seen are compared only if whole is set.
func (r *Record) SameAnswer(other *Record, whole bool) bool {
	one, two := r.Facts, other.Facts
	if whole && !slices.Equal(one.Seen.IDs(), two.Seen.IDs()) {
		return false
	}
	one.Seen, two.Seen = Seen{}, Seen{} // equal ones may be split differently
	return r.From == other.From && r.To == other.To && r.Guard == other.Guard &&
		(r.Ignored == "") == (other.Ignored == "") && slices.Equal(r.Effects, other.Effects) && reflect.DeepEqual(one, two)
}
