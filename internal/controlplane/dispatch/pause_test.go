package dispatch

import (
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// A pause with a term ends by itself, and not before.
func TestAPauseEndsByItself(t *testing.T) {
	resume := wire.Instruction{Kind: wire.Resume}
	paused := func(why string) wire.Instruction { return wire.Instruction{Kind: wire.Pause, Reason: why} }
	for name, row := range map[string]struct {
		then func(p *plant, worker string) // a minute after a pause of two minutes
		want map[time.Duration]wire.Instruction
	}{
		"alone": {
			func(*plant, string) {},
			map[time.Duration]wire.Instruction{50 * time.Second: paused("disk"), 70 * time.Second: resume},
		},
		"paused again, from then on": {
			func(p *plant, worker string) {
				_, err := p.PauseFor(p.t.Context(), worker, "disk", workerstate.ByOperator, 2*time.Minute)
				must(p.t, err)
			},
			map[time.Duration]wire.Instruction{110 * time.Second: paused("disk"), 130 * time.Second: resume},
		},
		"paused for good": {
			func(p *plant, worker string) {
				_, err := p.Pause(p.t.Context(), worker, "disk", workerstate.ByOperator)
				must(p.t, err)
			},
			map[time.Duration]wire.Instruction{10 * time.Minute: paused("disk")},
		},
		"resumed and paused for good": {
			func(p *plant, worker string) {
				_, err := p.Resume(p.t.Context(), worker, workerstate.ByOperator)
				must(p.t, err)
				_, err = p.Pause(p.t.Context(), worker, "other", workerstate.ByWorker)
				must(p.t, err)
			},
			map[time.Duration]wire.Instruction{10 * time.Minute: paused("other")},
		},
		"the control plane starts again, and so does the term": {
			func(p *plant, _ string) { p.restart() },
			map[time.Duration]wire.Instruction{110 * time.Second: paused("disk"), 130 * time.Second: resume},
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			a := p.register("a")
			_, err := p.PauseFor(t.Context(), a, "disk", workerstate.ByOperator, 2*time.Minute)
			must(t, err)
			p.passBeating(time.Minute, a)
			row.then(p, a)
			passed := time.Duration(0)
			for _, at := range []time.Duration{50 * time.Second, 70 * time.Second, 110 * time.Second, 130 * time.Second, 10 * time.Minute} {
				if want, look := row.want[at]; look {
					p.passBeating(at-passed, a)
					passed = at
					p.pings(a, want)
				}
			}
		})
	}

	p := newPlant(t, Options{}) // also while the worker is lost
	a := p.register("a")
	_, err := p.PauseFor(t.Context(), a, "disk", workerstate.ByJob, 3*time.Minute)
	must(t, err)
	p.pass(4 * time.Minute)
	p.pings(a, resume)
}
