package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
)

// storm is what a crowd of workers did around a restart. Times are from its
// begin on; those of the quiet before are negative.
type storm struct {
	way     restart
	workers int
	begin   time.Time
	back    time.Duration // when the control plane served again
	span    time.Duration // when the watch ended
	whole   time.Duration // when the last stream was back

	streams, pings, beats []arrival
	late                  []time.Duration // of a timer meanwhile: what the machine added
}

// arrival is a request that reached the control plane, or that found nobody
// while it was away.
type arrival struct {
	at      time.Duration
	refused bool
	first   bool // a worker's first ping of this storm
}

// see takes what reached the control plane.
func (s *storm) see(sights []sight) {
	spoken := map[string]bool{}
	for _, seen := range sights {
		at := seen.at.Sub(s.begin)
		switch seen.what { //nolint:exhaustive // nothing else arrives by itself
		case asked:
			s.streams = append(s.streams, arrival{at: at})
		case pinged:
			s.pings = append(s.pings, arrival{at: at})
		case beat:
			s.beats = append(s.beats, arrival{at: at})
		case spoke:
			if at >= s.back && !spoken[seen.worker] {
				spoken[seen.worker] = true
				s.whole = at
			}
		}
	}
}

// read adds, from the agent's own log, what found nobody: pings and attempts of
// the stream between the end of the control plane and its return. The first ping
// of each worker, which comes at once by design, is marked. An attempt of the stream
// is noted when it fails, which is later than it was made while a thousand first
// pings fail beside it.
func (s *storm) read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the agent's log: %w", err)
	}
	defer func() { _ = file.Close() }() // it was only read
	var log replay.Replay
	if err := log.Read(path, file); err != nil {
		return fmt.Errorf("reading the agent's log: %w", err)
	}
	pinged := map[string]bool{}
	for i := range log.Records {
		r := &log.Records[i]
		at := r.Time.Sub(s.begin)
		if at < 0 || at >= s.back {
			continue
		}
		sends := slices.ContainsFunc(r.Effects, func(e fsm.Effect) bool { return e.Kind == fsm.SendPing })
		if sends {
			s.pings = append(s.pings, arrival{at: at, refused: true, first: !pinged[r.Worker]})
			pinged[r.Worker] = true
		}
		if r.Event.Kind == fsm.StreamLost && !s.cutOff(r) {
			s.streams = append(s.streams, arrival{at: at, refused: true})
		}
	}
	return nil
}

// cutOff tells the end of a stream that had spoken from an attempt that failed.
func (s *storm) cutOff(r *fsm.Record) bool {
	return s.way.crash && (r.From == fsm.StreamHealthy || r.From == fsm.Running)
}

func (s *storm) laterPings() []arrival {
	return slices.DeleteFunc(slices.Clone(s.pings), func(a arrival) bool { return a.first })
}

// sliceOf numbers the slices of a storm from its begin on; before it they are
// negative.
func sliceOf(at time.Duration) int { return int(math.Floor(float64(at) / float64(stormSlice))) }

// busiest is how many arrivals the fullest slice has.
func busiest(arrivals []arrival) int {
	most := 0
	count := map[int]int{}
	for _, a := range arrivals {
		n := sliceOf(a.at)
		count[n]++
		most = max(most, count[n])
	}
	return most
}

// mostReconnects is how full a slice can be, but for bad luck, when a crowd
// spreads over the shortest window of a fleet: a second.
func mostReconnects(workers int) int { return mostOf(float64(workers) * stormSlice.Seconds()) }

// mostLaterPings is the same for pings that come half an interval to one and a
// half after the ping before: at their densest, one and a half an interval.
func mostLaterPings(workers int) int {
	return mostOf(1.5 * float64(workers) * stormSlice.Seconds() / pingInterval.Seconds())
}

// mostOf is five standard deviations above the mean of a count of independent
// arrivals: one slice in three million is fuller.
func mostOf(mean float64) int { return int(math.Ceil(mean + 5*math.Sqrt(mean))) }
