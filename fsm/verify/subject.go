package verify

import (
	"math/bits"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// disturbances are kinds of things that may happen at any time, besides those that
// always may: streams and pings fail, terms expire, replicas lag, workers are asked to
// leave on their machine.
type disturbances uint8

const (
	// pausing: an operator pauses and resumes the worker, and drains it.
	pausing disturbances = 1 << iota
	// people: jobs are canceled or exceed their timeout, and the worker is stopped.
	people
	// crashing: the agent is killed and starts again, leases expire, answers to
	// requests about jobs are lost, results cannot be delivered, and a clone of the
	// worker takes its jobs.
	crashing
)

var disturbanceNames = []struct {
	kind disturbances
	name string
}{{pausing, "pauses"}, {people, "people"}, {crashing, "crashes"}}

// subject is a kind of world: the worker, whether its control plane lies, and what may
// happen in it.
type subject struct {
	config fsm.Config
	liar   bool
	may    disturbances
	alone  bool // with one job, whatever the bounds
}

// subjects returns every kind of world. All jobs are explored with pauses, and where
// there is no stream, with people and with crashes. With one job, up to
// Bounds.Together kinds of disturbances are explored together; where there is no
// stream, all of them.
func (b Bounds) subjects() []subject {
	var all []subject
	kinds := configs()
	for _, c := range kinds {
		all = append(all, subject{config: c, may: pausing})
		if c.RetireAfterJob {
			continue
		}
		streams := c.Mode == fsm.Auto || c.Mode == fsm.StreamOnly
		for may := people; may <= pausing|people|crashing; may++ {
			switch kinds := bits.OnesCount8(uint8(may)); {
			case kinds == 1 && !streams:
				all = append(all, subject{config: c, may: may})
			case kinds <= int(b.Together) || !streams:
				all = append(all, subject{config: c, may: may, alone: true})
			}
		}
	}
	for _, c := range kinds {
		all = append(all, subject{config: c, liar: true})
	}
	return all
}

// name returns the worker's kind, and what may happen besides pauses.
func (s subject) name() string {
	name := configName(s.config)
	if s.liar {
		return name + ", lies"
	}
	if s.may != pausing {
		var kinds []string
		for _, d := range disturbanceNames {
			if s.may&d.kind != 0 {
				kinds = append(kinds, d.name)
			}
		}
		name += ", " + strings.Join(kinds, " and ")
	}
	if s.alone {
		name += ", 1 job"
	}
	return name
}
