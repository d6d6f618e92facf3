package transport

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestFleetComesApart lets a thousand pacers live through a restart of their
// control plane, in virtual time and with the same chance in every run: all
// streams end at the same instant, nothing answers for a while, then everything
// does. In no tenth of a second are there more attempts than a fleet makes whose
// moments are independent.
func TestFleetComesApart(t *testing.T) {
	const (
		fleet = 1000
		slice = 100 * time.Millisecond
		ping  = 2 * time.Second
	)
	rows := []struct {
		name string
		away time.Duration
		// pings feed the pacers, an interval of their own apart, as in mode auto.
		pings bool
		// window is the shortest one that attempts of the whole fleet fall into.
		window time.Duration
	}{
		{"back at once", 0, true, time.Second},
		{"away for 20 s", 20 * time.Second, true, time.Second},
		{"away for two minutes", 2 * time.Minute, true, time.Second},
		{"away for 20 s, and nobody polls", 20 * time.Second, false, time.Second},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				var mu sync.Mutex
				var attempts []time.Duration
				var workers sync.WaitGroup
				for seed := range uint64(fleet) {
					chance := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the same each time
					pacer := newPacer(ping)
					pacer.random = rand.New(rand.NewPCG(seed, 8)).Float64 //nolint:gosec // the same each time
					pacer.begin(!row.pings)
					pacer.plan(begin)
					pacer.spoke()
					pacer.over(StreamEnded, 0)
					back := make(chan struct{})
					if row.pings {
						workers.Go(func() { // falls back at once, then polls in its own time
							for {
								if time.Since(begin) < row.away {
									pacer.PingFailed()
								} else {
									pacer.PingSucceeded()
								}
								select {
								case <-time.After(ping/2 + time.Duration(chance.Float64()*float64(ping))):
								case <-back:
									return
								}
							}
						})
					}
					workers.Go(func() {
						defer close(back)
						for pacer.wait(t.Context()) == nil {
							at := time.Since(begin)
							mu.Lock()
							attempts = append(attempts, at)
							mu.Unlock()
							if at >= row.away {
								pacer.spoke()
								return
							}
							pacer.over(StreamLost, 0)
						}
					})
				}
				workers.Wait()

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
				slices.Sort(attempts)
				last := attempts[len(attempts)-1]
				if row.pings && last > row.away+ping*3/2+promptWindow {
					t.Errorf("the last worker is back %v after the control plane", last-row.away)
				}
				t.Logf("%d attempts; %d in the fullest slice, of %d; all back after %v", len(attempts), slices.Max(values(count)), most, last-row.away)
			})
		})
	}
}

func values(count map[int]int) []int {
	var all []int
	for _, n := range count {
		all = append(all, n)
	}
	return all
}
