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

// storm is the requests of many workers around a restart. Times count from begin;
// those before it are negative.
type storm struct {
	way     restart
	workers int
	begin   time.Time
	back    time.Duration // when the control plane served again
	span    time.Duration // when the recording ended
	whole   time.Duration // when the last stream was back

	streams, pings, beats []arrival
	late                  []time.Duration // lateness of a timer meanwhile
}

// arrival is a request that reached the control plane, or that was refused while
// the control plane was away.
type arrival struct {
	at      time.Duration
	refused bool
	first   bool // a worker's first ping of this storm
}

// addEvents adds the requests that reached the control plane.
func (s *storm) addEvents(events []event) {
	open := map[string]bool{}
	for _, seen := range events {
		at := seen.at.Sub(s.begin)
		switch seen.kind { //nolint:exhaustive // others are not counted
		case streamRequested:
			s.streams = append(s.streams, arrival{at: at})
		case pingSent:
			s.pings = append(s.pings, arrival{at: at})
		case heartbeatSent:
			s.beats = append(s.beats, arrival{at: at})
		case messageSent:
			if at >= s.back && !open[seen.worker] {
				open[seen.worker] = true
				s.whole = at
			}
		}
	}
}

// read adds the refused requests from the agent's transition log: pings, and
// attempts to open a stream, while the control plane was away. It marks the first
// ping of each worker, which is sent at once by design. The log has an attempt to
// open a stream when it failed, which may be later than it was made.
func (s *storm) read(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening the agent's transition log: %w", err)
	}
	defer func() { _ = file.Close() }()
	var log replay.Replay
	if err := log.Read(path, file); err != nil {
		return fmt.Errorf("reading the agent's transition log: %w", err)
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

// cutOff reports whether a lost stream was open before, and so was not an attempt
// to open one.
func (s *storm) cutOff(r *fsm.Record) bool {
	return s.way.crash && r.From.Owner() == fsm.OwnerStream
}

func (s *storm) laterPings() []arrival {
	return slices.DeleteFunc(slices.Clone(s.pings), func(a arrival) bool { return a.first })
}

// sliceOf returns the number of the slice at a time; it is negative before the
// begin.
func sliceOf(at time.Duration) int { return int(math.Floor(float64(at) / float64(stormSlice))) }

// busiest returns the largest number of arrivals in a slice.
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

// mostReconnects returns the bound for a slice if workers spread evenly over the
// shortest reconnect window, a second.
func mostReconnects(workers int) int { return mostOf(float64(workers) * stormSlice.Seconds()) }

// mostLaterPings returns the bound for a slice of pings that each come half an
// interval to one and a half after the one before: at most 1.5 an interval.
func mostLaterPings(workers int) int {
	return mostOf(1.5 * float64(workers) * stormSlice.Seconds() / pingInterval.Seconds())
}

// mostOf returns five standard deviations above the mean of a number of independent
// arrivals: one slice in three million has more.
func mostOf(mean float64) int { return int(math.Ceil(mean + 5*math.Sqrt(mean))) }
