//go:build unix

package job

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
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
	logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(discard{}), zapcore.DebugLevel),
		zap.Hooks(func(entry zapcore.Entry) error {
			if entry.Message == "started the job's command" {
				started = time.Now()
			}
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

// BenchmarkOutput measures the output of a command, from its pipe through redaction to the
// upload: the throughput, the CPU time of this process for each MB, and the most memory
// that it had in use. The output is 1 GiB of zeros, or of lines with secrets to hide.
func BenchmarkOutput(b *testing.B) {
	const zeros, lines = "head -c 1073741824 /dev/zero", "yes 'step 12 of 40: compiling internal/job with a token' | head -c 1073741824"
	b.Run("memory", func(b *testing.B) { benchmarkOutput(b, nil, zeros) })
	b.Run("spool", func(b *testing.B) { benchmarkOutput(b, benchSpool(b), zeros) })
	b.Run("spool and lines", func(b *testing.B) { benchmarkOutput(b, benchSpool(b), lines) })
}

func benchmarkOutput(b *testing.B, s *spool.Spool, script string) {
	b.Helper()
	const size = 1 << 30
	spec, opts := jobFor(b, script)
	spec.ChunkMaxSize, opts.chunkInterval = 1<<20, time.Second
	spec.Env["API_TOKEN"] = "one-of-the-secrets-to-hide"
	opts.Spool, spec.ReportEndpoint = s, "http://127.0.0.1/v3"
	b.SetBytes(size)
	b.ReportAllocs()
	before, most := ownCPU(b), atomic.Uint64{}
	for b.Loop() {
		cp := &gauge{most: &most}
		if _, err := Run(b.Context(), spec, cp, opts); err != nil || cp.bytes.Load() != size {
			b.Fatal(cp.bytes.Load(), err)
		}
	}
	b.ReportMetric(float64((ownCPU(b)-before).Microseconds())/float64(b.N)/(size/1e6), "µs-CPU/MB")
	b.ReportMetric(float64(most.Load())/mebibyte, "MiB-in-use")
}

// gauge is a sink that reads the memory in use now and then.
type gauge struct {
	sink

	most *atomic.Uint64
}

func (g *gauge) Chunk(ctx context.Context, chunk wire.Chunk) error {
	const every = 64
	if chunk.Sequence%every == 0 {
		var now runtime.MemStats
		runtime.ReadMemStats(&now)
		g.most.Store(max(g.most.Load(), now.HeapInuse+now.StackInuse))
	}
	return g.sink.Chunk(ctx, chunk)
}

// ownCPU returns the CPU time of this process, without those that it has started.
func ownCPU(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
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
