package verify

import (
	"encoding/json"
	"time"
)

// number names a stored record within an exploration.
type number uint8

// maxNumbers is the most records of one kind.
const maxNumbers = 1 << recordBits

// numbered assigns a number to each different record (R), from 0 in the order in which
// they are met. Two records are the same if their JSON forms are: those are what is
// stored.
type numbered[R any] struct {
	numbers map[string]number
	all     []R
	full    bool // there were more than maxNumbers
}

func newNumbered[R any]() numbered[R] { return numbered[R]{numbers: map[string]number{}} }

// number returns the number of a record, and reports whether it is a new one.
func (n *numbered[R]) number(record R) (number, bool) {
	text, err := json.Marshal(record)
	if err != nil {
		panic(err) // a stored record has a JSON form
	}
	key := string(text)
	if known, found := n.numbers[key]; found {
		return known, false
	}
	if len(n.all) == maxNumbers {
		n.full = true
		return 0, false
	}
	next := number(len(n.all)) //nolint:gosec // at most maxNumbers
	n.numbers[key] = next
	n.all = append(n.all, record)
	return next, true
}

// someTime stands for every moment, and someReason for every reason: no rule compares
// them.
var someTime = time.Unix(1, 0).UTC()

const someReason = "why"
