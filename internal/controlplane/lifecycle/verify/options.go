package verify

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// Bounds limit the part of the world that is explored. Everything else may happen
// any number of times, in any order: expired terms, pauses, stops, stale offers,
// cancellations.
type Bounds struct {
	// InFlight is how many requests and answers may be on their way at once, 1 to 4.
	InFlight uint8 `json:"inFlight"`
	// Kills is how many times agents may be killed, at most 3.
	Kills uint8 `json:"kills"`
	// Faults is how many messages may be lost or repeated, at most 15; 0 is any
	// number.
	Faults uint8 `json:"faults"`
}

const (
	maxKills  = 3
	maxFaults = 15
)

// DefaultBounds returns two messages on their way, one killed agent and any number
// of faults of the network.
func DefaultBounds() Bounds { return Bounds{InFlight: 2, Kills: 1} }

// Validate returns an error that names the wrong bound, or nil.
func (b Bounds) Validate() error {
	switch {
	case b.InFlight < 1 || b.InFlight > maxInFlight:
		return fmt.Errorf("job-in-flight is %d, and must be 1 to %d", b.InFlight, maxInFlight)
	case b.Kills > maxKills:
		return fmt.Errorf("job-kills is %d, and must be at most %d", b.Kills, maxKills)
	case b.Faults > maxFaults:
		return fmt.Errorf("job-faults is %d, and must be at most %d, or 0 for any number", b.Faults, maxFaults)
	}
	return nil
}

// String returns the bounds in words.
func (b Bounds) String() string {
	faults := "any number of"
	if b.Faults > 0 {
		faults = fmt.Sprintf("up to %d", b.Faults)
	}
	return fmt.Sprintf("1 job and its retry, 2 agents, up to %d messages on their way, up to %d killed agents, %s lost or repeated messages",
		b.InFlight, b.Kills, faults)
}

// Options select what to check.
type Options struct {
	Bounds Bounds
	// Table is the machine; the table of package lifecycle if nil.
	Table *lifecycle.Table
	// FirstOnly stops an exploration at the first violation.
	FirstOnly bool
	// Workers is how many settings are explored at once; as many as there are
	// processors if zero.
	Workers int
}

// setting is a kind of world. What people do and what becomes of the retry are
// explored one at a time, because together they have too many states.
type setting struct {
	name    string
	workers [agentCount]uint8
	people  bool // cancellations, stops and timeouts
	retry   bool // the retry is run; else it is submitted, and that is the end
}

func settings() []setting {
	two, clone := [agentCount]uint8{1, 2}, [agentCount]uint8{1, 1}
	return []setting{
		{"two workers, canceled, stopped and timed out", two, true, false},
		{"a worker and its clone, canceled, stopped and timed out", clone, true, false},
		{"two workers and the retry", two, false, true},
		{"a worker and its clone, and the retry", clone, false, true},
	}
}
