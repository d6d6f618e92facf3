//go:build unix

package job

import (
	"context"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// sink is a control plane that takes everything at once and keeps nothing.
type sink struct{ bytes atomic.Uint64 }

func (*sink) Start(context.Context, time.Time) error { return nil }

func (s *sink) Chunk(_ context.Context, chunk Chunk) error {
	s.bytes.Add(chunk.Size)
	return nil
}

func (*sink) State(context.Context) (string, error) { return "running", nil }

func (*sink) Finish(context.Context, Result) error { return nil }

// BenchmarkRun measures a whole job that does nothing, and in it the time from
// the call of Run to the running command.
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
			started = time.Now() // the one entry of such a job is about its start
			return nil
		}))
	spec, opts := jobFor(b, "true")
	opts.Logger, opts.Spool, opts.ReportEndpoint = logger, s, "http://127.0.0.1/v3"
	folder, err := joblink.Folder() // as an agent has it
	if err != nil {
		b.Fatal(err)
	}
	defer os.RemoveAll(folder)
	opts.SocketFolder = folder
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

// BenchmarkOutput measures how fast a command's output gets through: pipe,
// chunks, hand-over.
func BenchmarkOutput(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchmarkOutput(b, nil) })
	b.Run("spool", func(b *testing.B) { benchmarkOutput(b, benchSpool(b)) })
}

func benchmarkOutput(b *testing.B, s *spool.Spool) {
	b.Helper()
	const size = 256 << 20
	spec, opts := jobFor(b, "head -c 268435456 /dev/zero")
	spec.ChunkMaxSize, spec.ChunkInterval = 1<<20, time.Second
	opts.Spool, opts.ReportEndpoint = s, "http://127.0.0.1/v3"
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		cp := &sink{}
		if _, err := Run(b.Context(), spec, cp, opts); err != nil || cp.bytes.Load() != size {
			b.Fatal(cp.bytes.Load(), err)
		}
	}
}
