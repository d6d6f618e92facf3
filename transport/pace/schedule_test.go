package pace

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// simulation runs a schedule in simulated time.
type simulation struct {
	*Schedule

	now     time.Time
	pending []pendingEvent
}

// pendingEvent is something that happens later.
type pendingEvent struct {
	at time.Time
	do func(*simulation)
}

func newSimulation(pingInterval time.Duration, streamOnly bool, random func() float64) *simulation {
	m := &simulation{Schedule: New(pingInterval, random), now: time.Now()}
	m.Start(m.now, streamOnly)
	return m
}

// advance lets time pass until a moment, with the pending events on the way.
func (m *simulation) advance(until func() time.Time) {
	for {
		slices.SortStableFunc(m.pending, func(a, b pendingEvent) int { return a.at.Compare(b.at) })
		if len(m.pending) == 0 || m.pending[0].at.After(until()) {
			m.now = until()
			return
		}
		next := m.pending[0]
		m.pending = m.pending[1:]
		m.now = next.at
		next.do(m)
	}
}

// attempt lets time pass until the planned attempt.
func (m *simulation) attempt() {
	m.advance(m.Due)
	m.Step(m.now, AttemptDue)
}

// step of a script: something happens, or an attempt is waited for.
type step struct {
	do func(*simulation)
	// at is when the attempt is made, from the beginning, if every random moment is
	// in the middle of its window.
	at time.Duration
}

func attemptAt(at time.Duration) step { return step{at: at} }

func does(do func(*simulation)) step { return step{do: do} }

func healthy(m *simulation)      { m.Step(m.now, MessageReceived) }
func ended(m *simulation)        { m.End(m.now, StreamEnded, 0) }
func lost(m *simulation)         { m.End(m.now, StreamLost, 0) }
func refused(m *simulation)      { m.End(m.now, StreamRefused, 0) }
func pingFails(m *simulation)    { m.Step(m.now, PingFailed) }
func pingSucceeds(m *simulation) { m.Step(m.now, PingSucceeded) }

func lostFor(retryAfter time.Duration) func(*simulation) {
	return func(m *simulation) { m.End(m.now, StreamLost, retryAfter) }
}

func refusedFor(retryAfter time.Duration) func(*simulation) {
	return func(m *simulation) { m.End(m.now, StreamRefused, retryAfter) }
}

// during lets time pass between an attempt and what follows.
func during(d time.Duration) func(*simulation) {
	return func(m *simulation) {
		until := m.now.Add(d)
		m.advance(func() time.Time { return until })
	}
}

// after makes something happen while an attempt is waited for.
func after(d time.Duration, do func(*simulation)) func(*simulation) {
	return func(m *simulation) { m.pending = append(m.pending, pendingEvent{m.now.Add(d), do}) }
}

// everySecond pings once a second for that long.
func everySecond(d time.Duration, ping func(*simulation)) func(*simulation) {
	return func(m *simulation) {
		for at := time.Second; at <= d; at += time.Second {
			after(at, ping)(m)
		}
	}
}

// TestSchedule runs scripts and compares the moments of all attempts.
func TestSchedule(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	rows := []struct {
		name         string
		pingInterval time.Duration
		streamOnly   bool
		script       []step
	}{
		{
			name: "the first attempt is immediate; further windows double to 64 s", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(lost), // windows end at 0.01,
				attemptAt(5010 * ms), does(lost), // 10.01,
				attemptAt(20010 * ms), does(lost), // 30.01,
				attemptAt(50010 * ms), does(lost), // 70.01,
				attemptAt(102010 * ms), does(lost), // 134.01
				attemptAt(166010 * ms),
			},
		},
		{
			name: "a worker that polls waits ten seconds, however often it pings", pingInterval: 2 * s,
			script: []step{attemptAt(5 * ms), does(lost), attemptAt(5010 * ms)},
		},
		{
			name: "a long ping interval is the window", pingInterval: 120 * s,
			script: []step{
				attemptAt(5 * ms), does(lost), attemptAt(60010 * ms), does(lost), attemptAt(180010 * ms), does(lost), attemptAt(300010 * ms),
			},
		},
		{
			name: "stream-only uses the ping interval", pingInterval: s, streamOnly: true,
			script: []step{
				attemptAt(5 * ms), does(lost), attemptAt(510 * ms), does(lost), attemptAt(2010 * ms), does(lost), attemptAt(5010 * ms),
			},
		},
		{
			name: "a second after a healthy stream, then a further window", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(healthy), does(during(60 * s)), does(lost), // at 60.005
				attemptAt(60505 * ms), does(lost),
				attemptAt(66005 * ms),
			},
		},
		{
			name: "planned ends: within a second, each time", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(healthy), does(during(60 * s)), does(ended),
				attemptAt(60505 * ms), does(healthy), does(during(60 * s)), does(ended),
				attemptAt(121005 * ms),
			},
		},
		{
			name: "a stream that is lost right after its first message is tried about once a second", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(healthy), does(lost), // the first window's rest
				attemptAt(510 * ms), does(healthy), does(lost),
				attemptAt(1510 * ms), does(healthy), does(lost),
				attemptAt(2510 * ms),
			},
		},
		{
			name: "the rest of a long window is not waited out after a healthy stream", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(lost), attemptAt(5010 * ms), does(healthy), does(during(2 * s)), does(ended),
				attemptAt(7510 * ms),
			},
		},
		{
			name: "while pings succeed the window does not double", pingInterval: 2 * s,
			script: []step{
				does(everySecond(60*s, pingSucceeds)),
				attemptAt(5 * ms), does(lost), attemptAt(5010 * ms), does(lost), attemptAt(15010 * ms), does(lost), attemptAt(25010 * ms),
			},
		},
		{
			name: "an old success does not count", pingInterval: 2 * s,
			script: []step{
				does(pingSucceeds),
				attemptAt(5 * ms), does(lost), attemptAt(5010 * ms), does(lost), attemptAt(15010 * ms), does(lost), attemptAt(30010 * ms),
			},
		},
		{
			name: "the first success after failures brings an attempt forward to within a second, once", pingInterval: 2 * s,
			script: []step{
				does(everySecond(60*s, pingFails)), does(after(60100*ms, pingSucceeds)),
				attemptAt(5 * ms), does(lost), attemptAt(5010 * ms), does(lost), attemptAt(20010 * ms), does(lost),
				attemptAt(50010 * ms), does(lost), // the next would be at 102.01
				attemptAt(60600 * ms), does(lost), // the rest of that second, then ten
				attemptAt(66100 * ms),
			},
		},
		{
			name: "the planned attempt is brought forward", pingInterval: 2 * s,
			script: []step{
				attemptAt(5 * ms), does(pingFails), does(lost), attemptAt(5010 * ms), does(lost), // 10.01 to 30.01
				does(after(7*s, pingSucceeds)),    // at 12.01
				attemptAt(12510 * ms), does(lost), // to 13.01
				does(pingFails), does(after(s, pingSucceeds)), // the same outage
				attemptAt(18010 * ms), does(healthy), // that outage is over
				does(lost), does(pingFails), // a new one
				attemptAt(19510 * ms), does(lost), // to 20.01
				does(after(1500*ms, pingSucceeds)), // at 21.01
				attemptAt(21510 * ms),
			},
		},
		{
			name: "a success during an attempt counts for the next one", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(pingFails), does(pingSucceeds), does(lost), attemptAt(505 * ms),
			},
		},
		{
			name: "a success counts also when the window doubled without a ping", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(lost), attemptAt(5010 * ms), does(lost), does(after(6*s, pingSucceeds)), attemptAt(11510 * ms),
			},
		},
		{
			name: "a success without failures changes nothing", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(healthy), does(during(10 * s)), does(lost), does(after(100*ms, pingSucceeds)),
				attemptAt(10505 * ms), does(lost), does(after(time.Second, pingSucceeds)), attemptAt(16005 * ms),
			},
		},
		{
			name: "refused: ten minutes", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(refused), attemptAt(600005 * ms), does(refused), attemptAt(1200005 * ms),
				does(lost), attemptAt(1205005 * ms),
			},
		},
		{
			name: "refused, then a ping fails and one succeeds: within a second", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(refused), does(after(60*s, pingFails)), does(after(70*s, pingSucceeds)), attemptAt(70505 * ms),
			},
		},
		{
			name: "the window begins after Retry-After", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(lostFor(30 * s)), attemptAt(35005 * ms),
				does(lostFor(time.Second)), attemptAt(50005 * ms), // within the rest of the window
			},
		},
		{
			name: "a ping's success does not shorten Retry-After", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(pingFails), does(lostFor(30 * s)), does(pingSucceeds), attemptAt(30505 * ms),
			},
		},
		{
			name: "a ping's success during the wait does not shorten Retry-After", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(pingFails), does(lostFor(30 * s)), does(after(5*s, pingSucceeds)), attemptAt(30505 * ms),
				does(lost), attemptAt(36005 * ms), // Retry-After applies once
			},
		},
		{
			name: "a Retry-After longer than the wait of a refusal is kept, and spread", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(refusedFor(20 * time.Minute)), attemptAt(1205005 * ms), does(refusedFor(time.Minute)), attemptAt(1805005 * ms),
			},
		},
		{
			name: "Retry-After after a healthy stream", pingInterval: 10 * s,
			script: []step{
				attemptAt(5 * ms), does(healthy), does(during(time.Second)), does(lostFor(30 * s)), attemptAt(31505 * ms),
			},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			m := newSimulation(row.pingInterval, row.streamOnly, func() float64 { return 0.5 })
			started := m.now
			for i, step := range row.script {
				if step.do != nil {
					step.do(m)
					continue
				}
				m.attempt()
				if at := m.now.Sub(started); at != step.at {
					t.Fatalf("step %d: attempt at %s, want %s", i, at, step.at)
				}
			}
		})
	}
}

// TestSpread shows that the moments of a fleet fill their window and stay inside it.
func TestSpread(t *testing.T) {
	const fleet = 1000
	rows := []struct {
		name     string
		before   func(*simulation)
		min, max time.Duration
	}{
		{"the first", func(*simulation) {}, 0, 10 * time.Millisecond},
		{"after a healthy stream", func(m *simulation) { m.attempt(); healthy(m); during(time.Minute)(m); lost(m) }, 0, time.Second},
		{"further ones", func(m *simulation) { m.attempt(); during(time.Second)(m); lost(m) }, 0, 10 * time.Second},
		{"refused", func(m *simulation) { m.attempt(); refused(m) }, 8 * time.Minute, 12 * time.Minute},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			quarters := make([]int, 4)
			for seed := range uint64(fleet) {
				m := newSimulation(10*time.Second, false, rand.New(rand.NewPCG(seed, 1)).Float64) //nolint:gosec // the same each time
				row.before(m)
				from := m.now
				m.attempt()
				took := m.now.Sub(from)
				if took < row.min || took >= row.max {
					t.Fatalf("after %s, want within %s and %s", took, row.min, row.max)
				}
				quarters[int(4*(took-row.min)/(row.max-row.min))]++
			}
			for _, count := range quarters {
				if count < fleet/5 {
					t.Errorf("not spread evenly: %v in each quarter", quarters)
				}
			}
		})
	}
}

// TestKeepsMonotonicTime shows that no moment in a schedule has lost its reading of
// the monotonic clock: without it, setting the clock would move the moment.
func TestKeepsMonotonicTime(t *testing.T) {
	m := newSimulation(time.Second, false, rand.Float64)
	m.attempt()
	pingFails(m)
	lostFor(time.Minute)(m)
	moments := map[string]time.Time{"notBefore": m.notBefore}
	m.attempt()
	refused(m)
	moments["refused"] = m.due
	pingSucceeds(m)
	moments["due"], moments["windowEnd"], moments["reachedAt"] = m.due, m.windowEnd, m.reachedAt
	for name, at := range moments {
		if !strings.Contains(at.String(), " m=") {
			t.Errorf("%s is %s", name, at)
		}
	}
}
