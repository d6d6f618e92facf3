package fsm

import (
	"reflect"
	"slices"
	"time"
)

// Record is one event of a worker and what its machine answered. It is a value:
// nothing that it holds is written again.
type Record struct {
	// Time is when the event was taken.
	Time time.Time
	// Worker is the id under which the worker is registered.
	Worker string
	// Event is what happened, and Cause says why in words, if something is
	// known: an error, the reason of a pause.
	Event Event
	Cause string
	// From and To are the states before and after; they may be the same.
	From, To State
	// Guard decided for the row; empty if the row has none, or if the event was
	// ignored, for the reason in Ignored.
	Guard, Ignored string
	// Effects are what was done, in order.
	Effects []Effect
	// Facts are what the machine knows after the event.
	Facts Facts
}

// Decide fills in what a machine in state from has answered to the record's
// event: the decision, its effects, and where it left the machine.
func (r *Record) Decide(from, to State, d *Decision, effects []Effect, after *Facts) {
	r.From, r.To, r.Ignored, r.Effects, r.Facts = from, to, d.Ignored, effects, *after
	r.Guard = ""
	if d.Row != nil {
		r.Guard = d.Row.When.Name
	}
}

// SameAnswer reports whether two records of one event hold the same answer of
// the machine. The wording of the reason for an ignored event is not compared; a
// guard's name is. The jobs seen are compared if whole is set.
func (r *Record) SameAnswer(other *Record, whole bool) bool {
	return r.From == other.From && r.To == other.To && r.Guard == other.Guard &&
		(r.Ignored == "") == (other.Ignored == "") && slices.Equal(r.Effects, other.Effects) &&
		reflect.DeepEqual(lineOfFacts(&r.Facts, whole), lineOfFacts(&other.Facts, whole))
}
