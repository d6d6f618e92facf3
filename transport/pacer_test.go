package transport

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// pacing is one step of a script for the pacer: something that happens, or an
// attempt that is waited for.
type pacing struct {
	do func(*Pacer)
	// at is when the attempt is made, from the beginning, if every random
	// moment falls halfway into its window.
	at time.Duration
}

func attemptAt(at time.Duration) pacing { return pacing{at: at} }

func lost(p *Pacer)         { p.over(StreamLost, 0) }
func refused(p *Pacer)      { p.over(StreamRefused, 0) }
func (p *Pacer) lives()     { p.spoke() }
func ended(p *Pacer)        { p.over(StreamEnded, 0) }
func pingFails(p *Pacer)    { p.PingFailed() }
func pingSucceeds(p *Pacer) { p.PingSucceeded() }

func lostFor(retryAfter time.Duration) func(*Pacer) {
	return func(p *Pacer) { p.over(StreamLost, retryAfter) }
}

func refusedFor(retryAfter time.Duration) func(*Pacer) {
	return func(p *Pacer) { p.over(StreamRefused, retryAfter) }
}

// during lets time pass between an attempt and what follows.
func during(d time.Duration) func(*Pacer) { return func(*Pacer) { time.Sleep(d) } }

// after does something while an attempt is waited for.
func after(d time.Duration, do func(*Pacer)) func(*Pacer) {
	return func(p *Pacer) { time.AfterFunc(d, func() { do(p) }) }
}

// everySecond pings for that long.
func everySecond(d time.Duration, ping func(*Pacer)) func(*Pacer) {
	return func(p *Pacer) {
		for at := time.Second; at <= d; at += time.Second {
			time.AfterFunc(at, func() { ping(p) })
		}
	}
}

func does(do func(*Pacer)) pacing { return pacing{do: do} }

func TestPacer(t *testing.T) {
	const ms, s = time.Millisecond, time.Second
	rows := []struct {
		name         string
		pingInterval time.Duration
		streamOnly   bool
		script       []pacing
	}{
		{
			name: "the first attempt comes at once; further ones in windows that double to 64 s", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(lost), // windows end at 0.1,
				attemptAt(5100 * ms), does(lost), // 10.1,
				attemptAt(20100 * ms), does(lost), // 30.1,
				attemptAt(50100 * ms), does(lost), // 70.1,
				attemptAt(102100 * ms), does(lost), // 134.1
				attemptAt(166100 * ms),
			},
		},
		{
			name: "auto leaves ten seconds, however often it pings", pingInterval: 2 * s,
			script: []pacing{attemptAt(50 * ms), does(lost), attemptAt(5100 * ms)},
		},
		{
			name: "a long ping interval is the window", pingInterval: 120 * s,
			script: []pacing{
				attemptAt(50 * ms), does(lost), attemptAt(60100 * ms), does(lost), attemptAt(180100 * ms), does(lost), attemptAt(300100 * ms),
			},
		},
		{
			name: "stream-only keeps to the ping interval", pingInterval: s, streamOnly: true,
			script: []pacing{
				attemptAt(50 * ms), does(lost), attemptAt(600 * ms), does(lost), attemptAt(2100 * ms), does(lost), attemptAt(5100 * ms),
			},
		},
		{
			name: "a second after a healthy stream, then the usual", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does((*Pacer).lives), does(during(60 * s)), does(lost), // at 60.05
				attemptAt(60550 * ms), does(lost),
				attemptAt(66050 * ms),
			},
		},
		{
			name: "planned ends: within a second, each time", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does((*Pacer).lives), does(during(60 * s)), does(ended),
				attemptAt(60550 * ms), does((*Pacer).lives), does(during(60 * s)), does(ended),
				attemptAt(121050 * ms),
			},
		},
		{
			name: "a stream that speaks and dies at once is tried once a second or so", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does((*Pacer).lives), does(lost), // the first window's rest
				attemptAt(600 * ms), does((*Pacer).lives), does(lost),
				attemptAt(1600 * ms), does((*Pacer).lives), does(lost),
				attemptAt(2600 * ms),
			},
		},
		{
			name: "the rest of a long window is not waited out after a healthy stream", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(lost), attemptAt(5100 * ms), does((*Pacer).lives), does(during(2 * s)), does(ended),
				attemptAt(7600 * ms),
			},
		},
		{
			name: "while pings succeed the window does not double", pingInterval: 2 * s,
			script: []pacing{
				does(everySecond(60*s, pingSucceeds)),
				attemptAt(50 * ms), does(lost), attemptAt(5100 * ms), does(lost), attemptAt(15100 * ms), does(lost), attemptAt(25100 * ms),
			},
		},
		{
			name: "a success of long ago is no evidence", pingInterval: 2 * s,
			script: []pacing{
				does(pingSucceeds),
				attemptAt(50 * ms), does(lost), attemptAt(5100 * ms), does(lost), attemptAt(15100 * ms), does(lost), attemptAt(30100 * ms),
			},
		},
		{
			name: "the first success after failures earns an attempt within a second, once", pingInterval: 2 * s,
			script: []pacing{
				does(everySecond(60*s, pingFails)), does(after(60100*ms, pingSucceeds)),
				attemptAt(50 * ms), does(lost), attemptAt(5100 * ms), does(lost), attemptAt(20100 * ms), does(lost),
				attemptAt(50100 * ms), does(lost), // the next would be at 102.1
				attemptAt(60600 * ms), does(lost), // the rest of that second, and ten more
				attemptAt(66100 * ms),
			},
		},
		{
			name: "it is brought forward", pingInterval: 2 * s,
			script: []pacing{
				attemptAt(50 * ms), does(pingFails), does(lost), attemptAt(5100 * ms), does(lost), // 10.1 to 30.1
				does(after(7*s, pingSucceeds)),    // at 12.1
				attemptAt(12600 * ms), does(lost), // to 13.1
				does(pingFails), does(after(s, pingSucceeds)), // the same outage
				attemptAt(18100 * ms), does((*Pacer).lives), // that outage is over
				does(lost), does(pingFails), // a new one
				attemptAt(19600 * ms), does(lost), // to 20.1
				does(after(1500*ms, pingSucceeds)), // at 21.1
				attemptAt(21600 * ms),
			},
		},
		{
			name: "earned during an attempt, it is for the next", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(pingFails), does(pingSucceeds), does(lost), attemptAt(550 * ms),
			},
		},
		{
			name: "doubled without any ping, a success earns it as well", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(lost), attemptAt(5100 * ms), does(lost), does(after(6*s, pingSucceeds)), attemptAt(11600 * ms),
			},
		},
		{
			name: "a success without failures earns nothing", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does((*Pacer).lives), does(during(10 * s)), does(lost), does(after(100*ms, pingSucceeds)),
				attemptAt(10550 * ms), does(lost), does(after(time.Second, pingSucceeds)), attemptAt(16050 * ms),
			},
		},
		{
			name: "refused: ten minutes", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(refused), attemptAt(600050 * ms), does(refused), attemptAt(1200050 * ms),
				does(lost), attemptAt(1205050 * ms),
			},
		},
		{
			name: "refused, and the control plane restarts: at once", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(refused), does(after(60*s, pingFails)), does(after(70*s, pingSucceeds)), attemptAt(70550 * ms),
			},
		},
		{
			name: "Retry-After comes before the window", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(lostFor(30 * s)), attemptAt(35050 * ms),
				does(lostFor(time.Second)), attemptAt(50050 * ms), // within the rest of the window
			},
		},
		{
			name: "Retry-After holds against a ping's success", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(pingFails), does(lostFor(30 * s)), does(pingSucceeds), attemptAt(30550 * ms),
			},
		},
		{
			name: "Retry-After holds against a ping's success while it is waited for", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(pingFails), does(lostFor(30 * s)), does(after(5*s, pingSucceeds)), attemptAt(30550 * ms),
				does(lost), attemptAt(36050 * ms), // it asked once
			},
		},
		{
			name: "Retry-After longer than a refusal is kept, and spread", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does(refusedFor(20 * time.Minute)), attemptAt(1205050 * ms), does(refusedFor(time.Minute)), attemptAt(1805050 * ms),
			},
		},
		{
			name: "Retry-After after a healthy stream", pingInterval: 10 * s,
			script: []pacing{
				attemptAt(50 * ms), does((*Pacer).lives), does(during(time.Second)), does(lostFor(30 * s)), attemptAt(31550 * ms),
			},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				pacer := newPacer(row.pingInterval)
				pacer.random = func() float64 { return 0.5 }
				pacer.begin(row.streamOnly)
				started := time.Now()
				for i, step := range row.script {
					if step.do != nil {
						step.do(pacer)
						continue
					}
					if err := pacer.wait(t.Context()); err != nil {
						t.Fatal(err)
					}
					if at := time.Since(started); at != step.at {
						t.Fatalf("step %d: attempt at %s, want %s", i, at, step.at)
					}
				}
			})
		})
	}
}

// TestPacerSpreads shows that the moments of a fleet fill their window and
// stay inside it.
func TestPacerSpreads(t *testing.T) {
	const fleet = 1000
	rows := []struct {
		name        string
		before      func(*Pacer)
		least, most time.Duration
	}{
		{"the first", func(*Pacer) {}, 0, 100 * time.Millisecond},
		{"after a healthy stream", func(p *Pacer) { p.plan(time.Now()); p.spoke(); time.Sleep(time.Minute); lost(p) }, 0, time.Second},
		{"further ones", func(p *Pacer) { p.plan(time.Now()); time.Sleep(time.Second); lost(p) }, 0, 10 * time.Second},
		{"refused", func(p *Pacer) { p.plan(time.Now()); refused(p) }, 8 * time.Minute, 12 * time.Minute},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				quarters := make([]int, 4)
				for seed := range uint64(fleet) {
					pacer := newPacer(10 * time.Second)
					pacer.random = rand.New(rand.NewPCG(seed, 1)).Float64 //nolint:gosec // the same each time
					row.before(pacer)
					from := time.Now()
					if err := pacer.wait(t.Context()); err != nil {
						t.Fatal(err)
					}
					took := time.Since(from)
					if took < row.least || took >= row.most {
						t.Fatalf("after %s, want within %s and %s", took, row.least, row.most)
					}
					quarters[int(4*(took-row.least)/(row.most-row.least))]++
				}
				for _, count := range quarters {
					if count < fleet/5 {
						t.Errorf("not spread evenly: %v in each quarter", quarters)
					}
				}
			})
		})
	}
}

func TestPacerStopsWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pacer := newPacer(10 * time.Second)
		pacer.plan(time.Now())
		refused(pacer)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		started := time.Now()
		if err := pacer.wait(ctx); !errors.Is(err, context.DeadlineExceeded) || time.Since(started) != time.Second {
			t.Errorf("got %v after %s", err, time.Since(started))
		}
	})
}

// TestPacerKeepsMonotonicTime shows that no moment which the pacer remembers has
// lost its reading of the monotonic clock: without it, a clock that is set would
// move the moment.
func TestPacerKeepsMonotonicTime(t *testing.T) {
	p := newPacer(time.Second)
	p.PingFailed()
	p.over(StreamLost, time.Minute)
	remembered := map[string]time.Time{"notBefore": p.notBefore}
	p.over(StreamRefused, 0)
	remembered["refusedUntil"] = p.refusedUntil
	p.plan(time.Now())
	p.PingSucceeded()
	remembered["due"], remembered["end"], remembered["reachedAt"] = p.due, p.end, p.reachedAt
	for name, at := range remembered {
		if !strings.Contains(at.String(), " m=") {
			t.Errorf("%s is %s", name, at)
		}
	}
}
