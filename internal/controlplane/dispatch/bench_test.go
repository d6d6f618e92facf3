package dispatch

import (
	"slices"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// benchPlant returns a dispatcher with the system's clock.
func benchPlant(b *testing.B) *plant {
	b.Helper()
	st, err := store.Open(b.Context(), store.Options{DataDir: b.TempDir()})
	must(b, err)
	d, err := New(b.Context(), st, Options{Logger: zap.NewNop()})
	must(b, err)
	p := &plant{t: b, st: st, Dispatcher: d, clock: newClock()}
	b.Cleanup(p.stop)
	return p
}

// BenchmarkSubmitToNext measures from the call of Submit until an idle
// worker's stream delivers the offer, and reports quantiles.
func BenchmarkSubmitToNext(b *testing.B) {
	p := benchPlant(b)
	a := p.register("a")
	feed := p.attached(a)
	offers := make(chan time.Time)
	go func() {
		defer close(offers)
		for {
			in, err := next(b.Context(), feed)
			if err != nil {
				return
			}
			if in.Kind == wire.JobAssigned {
				offers <- time.Now()
			}
		}
	}()
	var took []time.Duration
	for b.Loop() {
		submitted := time.Now()
		id := make(chan string, 1)
		go func() { id <- p.submit(record.Job{}) }()
		took = append(took, (<-offers).Sub(submitted))
		g := p.accept(a, <-id)
		p.startJob(g)
		must(b, g.Finish(b.Context(), wire.FinishRequest{ExitStatus: "0"}))
	}
	feed.Close()
	for range offers { //nolint:revive // until the reader has gone
	}
	quantiles(b, took)
}

// BenchmarkFinishToNext measures from the end of a job to the offer of the next
// of a long queue.
func BenchmarkFinishToNext(b *testing.B) {
	p := benchPlant(b)
	for range 1000 {
		p.submit(record.Job{})
	}
	a := p.register("a")
	feed := p.attached(a)
	var took []time.Duration
	for b.Loop() {
		in, err := next(b.Context(), feed)
		must(b, err)
		g := p.accept(a, in.JobID)
		p.startJob(g)
		p.submit(record.Job{})
		finished := time.Now()
		must(b, g.Finish(b.Context(), wire.FinishRequest{ExitStatus: "0"}))
		in, err = next(b.Context(), feed)
		must(b, err)
		took = append(took, time.Since(finished))
		feed.Offer(in.JobID) // for the next round
	}
	quantiles(b, took)
}

func quantiles(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	for _, q := range []struct {
		name string
		at   float64
	}{{"p50-us", 0.5}, {"p99-us", 0.99}} {
		b.ReportMetric(float64(took[int(q.at*float64(len(took)-1))].Microseconds()), q.name)
	}
}

func BenchmarkHeartbeat(b *testing.B) {
	p := benchPlant(b)
	a := p.register("a")
	for b.Loop() {
		must(b, p.Heartbeat(b.Context(), a))
	}
}
