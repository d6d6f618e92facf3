//go:build unix

package job

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// sink is a control plane that accepts everything at once and keeps only a count.
type sink struct{ bytes atomic.Uint64 }

func (*sink) Start(context.Context, time.Time) error { return nil }

func (s *sink) Chunk(_ context.Context, chunk wire.Chunk) error {
	s.bytes.Add(uint64(len(chunk.Data)))
	return nil
}

func (*sink) State(context.Context) (wire.JobState, error) { return wire.StateRunning, nil }

func (*sink) Finish(context.Context, wire.FinishRequest) error { return nil }

// BenchmarkRun measures a job that does nothing, and in it the time from the call
// of Run to the start of the command.
func BenchmarkRun(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchmarkRun(b, nil) })
	b.Run("spool", func(b *testing.B) { benchmarkRun(b, benchSpool(b)) })
}

func benchSpool(b *testing.B) *spool.Spool {
	b.Helper()
	s, err := spool.Open(b.TempDir()+"/spool", nil)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func benchmarkRun(b *testing.B, s *spool.Spool) {
	b.Helper()
	var started time.Time
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(discard{}), zapcore.InfoLevel),
		zap.Hooks(func(zapcore.Entry) error {
			started = time.Now() // the only entry of this job is about its start
			return nil
		}))
	spec, opts := jobFor(b, "true")
	opts.Logger, opts.Spool, spec.ReportEndpoint = logger, s, "http://127.0.0.1/v3"
	links, err := joblink.Listen() // as an agent does
	if err != nil {
		b.Fatal(err)
	}
	defer links.Close()
	opts.Links = links
	var toStart time.Duration
	b.ReportAllocs()
	for b.Loop() {
		began := time.Now()
		if _, err := Run(b.Context(), spec, &sink{}, opts); err != nil {
			b.Fatal(err)
		}
		toStart += started.Sub(began)
	}
	b.ReportMetric(float64(toStart.Microseconds())/float64(b.N), "µs-to-process")
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkOutput measures the throughput of a command's output, from its pipe to
// the upload.
func BenchmarkOutput(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchmarkOutput(b, nil) })
	b.Run("spool", func(b *testing.B) { benchmarkOutput(b, benchSpool(b)) })
}

func benchmarkOutput(b *testing.B, s *spool.Spool) {
	b.Helper()
	const size = 256 << 20
	spec, opts := jobFor(b, "head -c 268435456 /dev/zero")
	spec.ChunkMaxSize, opts.chunkInterval = 1<<20, time.Second
	opts.Spool, spec.ReportEndpoint = s, "http://127.0.0.1/v3"
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		cp := &sink{}
		if _, err := Run(b.Context(), spec, cp, opts); err != nil || cp.bytes.Load() != size {
			b.Fatal(cp.bytes.Load(), err)
		}
	}
}

// BenchmarkBurst measures 50 jobs that begin at once, each with a shell.
func BenchmarkBurst(b *testing.B) {
	const jobs = 50
	spec, opts := jobFor(b, "true")
	opts.Spool, spec.ReportEndpoint = benchSpool(b), "http://127.0.0.1/v3"
	reaper, err := process.NewReaper()
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = reaper.Close() }()
	links, err := joblink.Listen()
	if err != nil {
		b.Fatal(err)
	}
	defer links.Close()
	opts.Links, opts.Reaper = links, reaper
	for b.Loop() {
		var all sync.WaitGroup
		for range jobs {
			all.Go(func() {
				if _, err := Run(b.Context(), spec, &sink{}, opts); err != nil {
					b.Error(err)
				}
			})
		}
		all.Wait()
	}
}
