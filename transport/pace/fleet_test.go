package pace

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestFleetIsSpread simulates a thousand workers through a restart of their control
// plane, with the same random numbers in every run: all streams end at the same
// moment, nothing responds for a while, then everything does. No tenth of a second
// has more attempts than a fleet makes whose moments are independent.
func TestFleetIsSpread(t *testing.T) {
	const (
		fleet = 1000
		slice = 100 * time.Millisecond
		ping  = 2 * time.Second
	)
	rows := []struct {
		name string
		away time.Duration
		// pings go to the schedule, an interval apart, as in mode auto.
		pings bool
		// window is the shortest one that attempts of the whole fleet are in.
		window time.Duration
	}{
		{"back at once", 0, true, time.Second},
		{"away for 20 s", 20 * time.Second, true, time.Second},
		{"away for two minutes", 2 * time.Minute, true, time.Second},
		{"away for 20 s, and nobody polls", 20 * time.Second, false, time.Second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			begin := time.Now()
			var attempts []time.Duration
			for seed := range uint64(fleet) {
				chance := rand.New(rand.NewPCG(seed, 7))                                     //nolint:gosec // the same each time
				m := newSimulation(ping, !row.pings, rand.New(rand.NewPCG(seed, 8)).Float64) //nolint:gosec // the same each time
				m.attempt()
				healthy(m)
				m.now = begin // all streams end here
				m.due, m.windowEnd = begin, begin
				ended(m)
				var poll func(*simulation)
				poll = func(m *simulation) {
					if m.now.Sub(begin) < row.away {
						pingFails(m)
					} else {
						pingSucceeds(m)
					}
					after(ping/2+time.Duration(chance.Float64()*float64(ping)), poll)(m)
				}
				if row.pings {
					poll(m)
				}
				for m.State() != Healthy {
					m.attempt()
					at := m.now.Sub(begin)
					attempts = append(attempts, at)
					if at >= row.away {
						healthy(m)
					} else {
						lost(m)
					}
				}
			}

			count := map[int]int{}
			for _, at := range attempts {
				count[int(at/slice)]++
			}
			mean := fleet * slice.Seconds() / row.window.Seconds()
			most := int(math.Ceil(mean + 5*math.Sqrt(mean)))
			for at, n := range count {
				if n > most {
					t.Errorf("%d attempts in slice %d, want %d at most", n, at, most)
				}
			}
			last := slices.Max(attempts)
			if row.pings && last > row.away+ping*3/2+promptWindow {
				t.Errorf("the last worker is back %v after the control plane", last-row.away)
			}
			t.Logf("%d attempts; %d in the fullest slice, of %d; all back after %v",
				len(attempts), slices.Max(slices.Collect(maps.Values(count))), most, last-row.away)
		})
	}
}
