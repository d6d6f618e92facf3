package verify

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Bounds limit the part of the world that is explored. Everything else may
// happen any number of times, in any order: requests to leave, timers, failed
// pings, keep-alives, jobs that are requeued and assigned again.
type Bounds struct {
	// Jobs is the number of jobs, 1 to 3.
	Jobs uint8 `json:"jobs"`
	// InFlight is how many messages of the stream may be in flight at once: more
	// than Jobs, and at most 4.
	InFlight uint8 `json:"inFlight"`
	// Losses is how many connections may be lost or refused, at most 15; 0 is
	// any number.
	Losses uint8 `json:"losses"`
	// Pauses is how often the control plane may pause the worker, at most 15; 0
	// is any number. It may always resume it.
	Pauses uint8 `json:"pauses"`
	// Together is how many kinds of disturbances happen together in the worlds with
	// one job, 1 to 3: pauses, what people do, and crashes.
	Together uint8 `json:"together"`
}

// DefaultBounds returns two jobs, three messages in flight, any number of losses and
// pauses, and one kind of disturbance at a time.
func DefaultBounds() Bounds {
	const jobs = 2
	return Bounds{Jobs: jobs, InFlight: jobs + 1, Together: 1}
}

const (
	maxCount    = 1<<countBits - 1
	maxTogether = 3
)

// Validate returns an error that names the wrong bound, or nil.
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
	case b.Together < 1 || b.Together > maxTogether:
		return fmt.Errorf("together is %d, and must be 1 to %d", b.Together, maxTogether)
	}
	return nil
}

// String returns the bounds in words.
func (b Bounds) String() string {
	times := func(n uint8) string {
		if n == 0 {
			return "any number of"
		}
		return fmt.Sprintf("up to %d", n)
	}
	jobs := "jobs"
	if b.Jobs == 1 {
		jobs = "job"
	}
	const form = "%d %s, up to %d messages on their way, %s losses, %s pauses, " +
		"up to %d of pauses, people and crashes together, any number of everything else"
	return fmt.Sprintf(form, b.Jobs, jobs, b.InFlight, times(b.Losses), times(b.Pauses), b.Together)
}

// configs returns every kind of worker.
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

// configName returns the name of a kind of worker.
func configName(c fsm.Config) string {
	if c.RetireAfterJob {
		return c.Mode.String() + ", one job"
	}
	return c.Mode.String()
}
