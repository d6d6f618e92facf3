package verify

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Bounds say how much of the world is explored. Whatever is not bounded here
// may happen any number of times, in any order: requests to leave, timers,
// failed pings, keep-alives, jobs put back and assigned again.
type Bounds struct {
	// Jobs is how many jobs there are, 1 to 3.
	Jobs uint8
	// InFlight is how many messages of the stream may be on their way at once:
	// more than Jobs, and at most 4.
	InFlight uint8
	// Losses is how many connections may be lost or refused, at most 15; 0 is
	// any number.
	Losses uint8
	// Pauses is how often the control plane may pause the worker, at most 15; 0
	// is any number. It may always resume it.
	Pauses uint8
}

// DefaultBounds returns two jobs, three messages in flight, and any number of
// losses and pauses.
func DefaultBounds() Bounds {
	const jobs = 2
	return Bounds{Jobs: jobs, InFlight: jobs + 1}
}

// SmallBounds returns one job and two messages in flight: enough to catch most
// mutants, of which there are hundreds.
func SmallBounds() Bounds { return Bounds{Jobs: 1, InFlight: 2} }

const maxCount = 1<<countBits - 1

// Validate returns an error that names the bound that is wrong, or nil.
func (b Bounds) Validate() error {
	switch {
	case b.Jobs < 1 || b.Jobs > maxJobs:
		return fmt.Errorf("jobs is %d, and must be 1 to %d", b.Jobs, maxJobs)
	case b.InFlight <= b.Jobs || b.InFlight > maxInFlight:
		return fmt.Errorf("in-flight is %d, and must be more than jobs (%d) and at most %d", b.InFlight, b.Jobs, maxInFlight)
	case b.Losses > maxCount:
		return fmt.Errorf("losses is %d, and must be at most %d, or 0 for any number", b.Losses, maxCount)
	case b.Pauses > maxCount:
		return fmt.Errorf("pauses is %d, and must be at most %d, or 0 for any number", b.Pauses, maxCount)
	}
	return nil
}

// configs returns every kind of worker that there is.
func configs() []fsm.Config {
	return []fsm.Config{
		{Mode: fsm.Auto},
		{Mode: fsm.Auto, RetireAfterJob: true},
		{Mode: fsm.StreamOnly},
		{Mode: fsm.StreamOnly, RetireAfterJob: true},
		{Mode: fsm.PollOnly},
		{Mode: fsm.PollOnly, RetireAfterJob: true},
		{Mode: fsm.Acquire, AcquireJob: jobIDs[1]},
	}
}
