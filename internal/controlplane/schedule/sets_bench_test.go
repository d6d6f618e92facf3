package schedule

import (
	"fmt"
	"math/bits"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// hostile is a fleet, and a different set of tags for each of 100,000 waiting jobs.
type hostile struct {
	workers int
	tags    func(worker int) []string
	set     func(i int) []string
}

// common are the tags that all workers of a hostile fleet have, in both forms.
const common = 17

// withCommon adds some of the common tags, others for each i.
func withCommon(tags []string, i int) []string {
	for bit := range common {
		if i>>bit&1 == 1 && len(tags) < wire.MaxRequiredTags {
			tags = append(tags, fmt.Sprintf("c%02d=1", bit))
		}
	}
	return tags
}

// numbered returns tags with a key and a number each.
func numbered(key string, n int) (tags []string) {
	for i := range n {
		tags = append(tags, fmt.Sprintf("%s=%d", key, i))
	}
	return tags
}

// side is how many tags each half has in "two of many": side*side is 100,000.
const side = 317

// hostiles are the worst sets that were found. No worker has those of the first three.
var hostiles = map[string]hostile{
	"halves and common ones": {
		fleetWorkers, func(w int) []string { return withCommon([]string{fmt.Sprintf("half=%d", w%2)}, 1<<common-1) },
		func(i int) []string { return withCommon([]string{"half=0", "half=1"}, i) },
	},
	"two of many": {
		2000, func(w int) []string { return numbered(string(rune('a'+w%2)), side) },
		func(i int) []string { return []string{fmt.Sprintf("a=%d", i/side), fmt.Sprintf("b=%d", i%side)} },
	},
	"three of three": { // each two of them are of some workers
		fleetWorkers, func(w int) []string {
			return withCommon([]string{fmt.Sprintf("x=%d", w%3&1), fmt.Sprintf("y=%d", (w%3+1)%3&1), fmt.Sprintf("z=%d", (w%3+2)%3&1)}, 1<<common-1)
		},
		func(i int) []string { return withCommon([]string{"x=0", "y=0", "z=0"}, i) },
	},
	"those of others": { // a quarter has both
		fleetWorkers, func(w int) []string {
			return withCommon([]string{fmt.Sprintf("os=%d", w%2), fmt.Sprintf("arch=%d", w/2%2)}, 1<<common-1)
		},
		func(i int) []string { return withCommon([]string{"arch=0", "os=0"}, i) },
	},
	"any of 40": { // each worker has half of them
		fleetWorkers, func(w int) (tags []string) {
			for i := range 40 {
				if hash(w)>>i&1 == 1 {
					tags = append(tags, fmt.Sprintf("t%02d=1", i))
				}
			}
			return tags
		},
		func(i int) (tags []string) {
			for h := hash(i + 1<<20); len(tags) < 10; h &= h - 1 {
				tags = append(tags, fmt.Sprintf("t%02d=1", bits.TrailingZeros64(h)%40))
			}
			return tags
		},
	},
	"hosts": {
		fleetWorkers, func(w int) []string { return []string{fmt.Sprintf("host=%d", w), "os=linux"} },
		func(i int) []string {
			return []string{fmt.Sprintf("host=%d", i%fleetWorkers), fmt.Sprintf("host=%d", i/7%fleetWorkers)}
		},
	},
}

// hash mixes the bits of a number.
func hash(i int) uint64 {
	h := uint64(i+1) * 0x9e3779b97f4a7c15
	h = (h ^ h>>31) * 0xbf58476d1ce4e5b9
	return h ^ h>>29
}

// fleet returns the fleet, every worker of it with a job and without a stream as yet if
// connected is not set, and the jobs that wait.
func (h hostile) fleet() *fleet {
	f := &fleet{x: New(), now: time.Now()}
	for w := range h.workers {
		id := fmt.Sprintf("w%d", w)
		f.revision++
		f.x.ApplyWorker(record.Worker{
			ID: id, Queue: "q", Revision: f.revision, Worker: workerstate.Worker{State: workerstate.Available}, Tags: h.tags(w),
		}, f.now)
		f.put(record.Job{ID: "j" + id, Queue: "q", Job: lifecycle.Job{State: wire.StateRunning, WorkerID: id}})
		f.x.Attach(id, nullStream{})
	}
	for i := range fleetQueued {
		tags, err := wire.RequiredTags(h.set(i))
		if err != nil {
			panic(err)
		}
		f.submit(tags...)
	}
	f.run()
	return f
}

// BenchmarkHostileIdle measures the end of a job where 100,000 jobs with sets of tags wait,
// and one that any worker can run.
func BenchmarkHostileIdle(b *testing.B) {
	for name, h := range hostiles {
		b.Run(name, func(b *testing.B) {
			f := h.fleet()
			for i := 0; b.Loop(); i++ {
				id := fmt.Sprintf("w%d", i%h.workers)
				for jobID := range f.x.workers[id].jobs {
					f.put(record.Job{ID: jobID, Queue: "q", Job: lifecycle.Job{State: wire.StateFinished, WorkerID: id}})
				}
				f.run()
				if len(f.x.workers[id].jobs) == 0 {
					f.submit()
					f.run()
				}
			}
		})
	}
}

// BenchmarkHostileStats measures the numbers and the page of a queue where workers leave
// and come back.
func BenchmarkHostileStats(b *testing.B) {
	for name, h := range hostiles {
		b.Run(name, func(b *testing.B) {
			f := h.fleet()
			for i := 0; b.Loop(); i++ {
				w := f.x.workers[fmt.Sprintf("w%d", i%h.workers)].record
				for _, state := range []workerstate.State{workerstate.Lost, workerstate.Available} {
					f.revision++
					w.State, w.Revision = state, f.revision
					f.x.ApplyWorker(w, f.now)
				}
				if _, listed := f.x.Queue("q", f.now); !listed {
					b.Fatal("no queue")
				}
			}
		})
	}
}

// BenchmarkHostileSubmit measures the submission of a job with a set of tags that no other
// one has.
func BenchmarkHostileSubmit(b *testing.B) {
	for name, h := range hostiles {
		b.Run(name, func(b *testing.B) {
			f := h.fleet()
			for i := fleetQueued; b.Loop(); i++ {
				tags, _ := wire.RequiredTags(append(h.set(i)[:2], fmt.Sprintf("c%02d=*", i%common), fmt.Sprintf("n%d=1", i)))
				if i%2 == 0 {
					tags = tags[:3]
				}
				f.x.ClaimIdle("q", tags)
				_ = f.x.WaitingReason("q", tags, f.now)
				f.submit(tags...)
				f.run()
			}
		})
	}
}
