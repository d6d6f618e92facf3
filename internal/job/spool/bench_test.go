package spool

import (
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// BenchmarkEntry measures a job without output, and each step of it.
func BenchmarkEntry(b *testing.B) {
	s, err := Open(b.TempDir()+"/spool", nil)
	if err != nil {
		b.Fatal(err)
	}
	var took [3]time.Duration
	for b.Loop() {
		at := time.Now()
		lap := func(step int) {
			took[step] += time.Since(at)
			at = time.Now()
		}
		e, err := s.Create(Job{ID: "J1", Token: "t", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: 1})
		if err != nil {
			b.Fatal(err)
		}
		lap(0)
		if err := e.SetResult(Result{FinishRequest: wire.FinishRequest{ExitStatus: "0"}}); err != nil {
			b.Fatal(err)
		}
		lap(1)
		if err := e.Remove(); err != nil {
			b.Fatal(err)
		}
		lap(2)
	}
	for step, name := range []string{"create", "result", "remove"} {
		b.ReportMetric(float64(took[step].Microseconds())/float64(b.N), "µs-"+name)
	}
}
