package job

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// long is longer than any test may take: what waits for it has failed.
const long = 10 * time.Minute

// TestDeliver delivers what a previous agent process left of a job: it is delivered,
// or dropped if the control plane refuses it, or stays undelivered if there is no
// response. The log of the job is "one\ntwo\n" in two chunks, of which the first was
// delivered.
func TestDeliver(t *testing.T) {
	t.Parallel()
	var (
		refused      = fmt.Errorf("%w: 422", wire.ErrRefused)
		noResponse   = errors.New("no response")
		ended        = &spool.Result{FinishRequest: wire.FinishRequest{ExitStatus: "7", ChunksFailed: 2}}
		acknowledged = &spool.Result{FinishRequest: wire.FinishRequest{ExitStatus: "7"}, Acknowledged: true}
	)
	const endNotSeenNote = "switchyard: the agent that ran this job (process 4711) ended before the job did"
	tests := []struct {
		name        string
		result      *spool.Result // nil: the job's end was not seen
		state       wire.JobState
		errs        map[string]error // by call
		age         time.Duration
		calls       []string
		undelivered bool
		status      string
		reason      string
		failed      int
		log         string // must follow the output
	}{
		{name: "the end was seen", result: ended, calls: []string{"chunk", "finish"}, status: "7", failed: 2},
		{name: "only chunks are left", result: acknowledged, calls: []string{"chunk"}},
		{
			name: "the end was not seen", state: "running", calls: []string{"state", "chunk", "chunk", "finish"},
			status: "-1", reason: wire.ReasonAgentStop, log: endNotSeenNote,
		},
		{
			name: "no state", calls: []string{"state", "chunk", "chunk", "finish"},
			status: "-1", reason: wire.ReasonAgentStop, log: endNotSeenNote,
		},
		{
			name: "being canceled", state: "canceling", calls: []string{"state", "chunk", "chunk", "finish"},
			status: "-1", reason: wire.ReasonAgentStop, log: endNotSeenNote,
		},
		{name: "never started", state: "accepted", calls: []string{"state"}},
		{name: "assigned to another worker", state: "assigned", calls: []string{"state"}},
		{name: "finished already", state: "finished", calls: []string{"state"}},
		{name: "invalid token", errs: map[string]error{"state": ErrTokenInvalid}, calls: []string{"state"}},
		{name: "no such job", errs: map[string]error{"state": refused}, calls: []string{"state"}},
		{name: "no response about the state", errs: map[string]error{"state": noResponse}, calls: []string{"state"}, undelivered: true},
		{name: "no response to a chunk", result: ended, errs: map[string]error{"chunk": noResponse}, calls: []string{"chunk"}, undelivered: true},
		{
			name: "no response to the result", result: ended, errs: map[string]error{"finish": noResponse},
			calls: []string{"chunk", "finish"}, undelivered: true,
		},
		{
			name: "no response for a week", result: ended, errs: map[string]error{"finish": noResponse},
			age: spool.MaxAge + time.Minute, calls: []string{"chunk", "finish"},
		},
		{
			name: "chunk refused", result: ended, errs: map[string]error{"chunk": refused}, calls: []string{"chunk", "finish"},
			status: "7", failed: 3,
		},
		{name: "result refused", result: ended, errs: map[string]error{"finish": refused}, calls: []string{"chunk", "finish"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := undeliveredJob(t, tt.result, tt.age)
			cp := &recorder{}
			fail := func(call string) func(context.Context) error {
				return func(context.Context) error { return tt.errs[call] }
			}
			cp.onFinish = fail("finish")
			cp.onState = func(context.Context) (wire.JobState, error) {
				cp.note("state")
				return tt.state, tt.errs["state"]
			}
			cp.onChunk = func(context.Context, wire.Chunk) error {
				if tt.errs["chunk"] != nil {
					cp.note("chunk")
				}
				return tt.errs["chunk"]
			}
			s, err := spool.Open(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			for e := range s.Undelivered() {
				if err := Deliver(t.Context(), e, cp, zap.NewNop()); (err != nil) != tt.undelivered {
					t.Errorf("Deliver: %v", err)
				}
			}
			if left := spooledFiles(dir); (len(left) > 0) != tt.undelivered {
				t.Errorf("in the spool: %v", left)
			}
			if !slices.Equal(cp.calls, tt.calls) {
				t.Errorf("calls %v, want %v", cp.calls, tt.calls)
			}
			if tt.status != "" {
				got := cp.finished[0]
				if got.ExitStatus != tt.status || got.SignalReason != tt.reason || got.ChunksFailed != tt.failed {
					t.Errorf("finished with %+v", got)
				}
			}
			if tt.log != "" {
				cp.chunks = append(cp.chunks, wire.Chunk{Sequence: 1, Data: []byte("one\n")})
				whole, err := joinChunks(cp.chunks)
				if _, rest, ok := strings.Cut(string(whole), "one\ntwo\n"); err != nil || !ok || !strings.Contains(rest, tt.log) {
					t.Errorf("the log is %q, %v", whole, err)
				}
			}
		})
	}
}

// undeliveredJob leaves a job in a new spool, as a killed agent does, and returns
// the directory of the spool.
func undeliveredJob(t *testing.T, result *spool.Result, age time.Duration) string {
	t.Helper()
	dir := t.TempDir() + "/spool"
	s, err := spool.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Create(spool.Job{
		ID: "J1", Token: "t", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: 1000, StartedAt: time.Now().Add(-age), PID: 4711,
	})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(e.Append(1, 0, []byte("one\n")), e.Append(2, 4, []byte("two\n")))
	e.Discard(spool.Chunk{Sequence: 1, Size: 4})
	if result != nil {
		err = errors.Join(err, e.SetResult(*result))
	}
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// spooledFiles returns the files of jobs in the directory of a spool.
func spooledFiles(dir string) []string {
	files, _ := filepath.Glob(filepath.Join(dir, "job-*"))
	files = slices.DeleteFunc(files, func(path string) bool { // kept for a later job
		info, err := os.Stat(path)
		return err == nil && info.Size() == 0
	})
	logs, _ := filepath.Glob(filepath.Join(dir, "log-*"))
	return append(files, logs...)
}

// TestDeliverTwice delivers a job whose end was not seen several times, because the
// finish fails: the note in the log is always the same, and stands there once.
func TestDeliverTwice(t *testing.T) {
	t.Parallel()
	dir := undeliveredJob(t, nil, 0)
	s, err := spool.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	cp := &recorder{onFinish: func(context.Context) error { return errors.New("no response") }}
	for range 3 {
		for e := range s.Undelivered() {
			_ = Deliver(t.Context(), e, cp, zap.NewNop())
		}
		if len(cp.finished) == 2 {
			cp.onFinish = nil
		}
	}
	bySequence := map[uint64]wire.Chunk{1: {Sequence: 1, Data: []byte("one\n")}}
	for _, c := range cp.chunks {
		if earlier, ok := bySequence[c.Sequence]; ok && !bytes.Equal(earlier.Data, c.Data) {
			t.Errorf("chunk %d was %q, and then %q", c.Sequence, earlier.Data, c.Data)
		}
		bySequence[c.Sequence] = c
	}
	whole, err := joinChunks([]wire.Chunk{bySequence[1], bySequence[2], bySequence[3]})
	if err != nil || strings.Count(string(whole), "ended before the job did") != 1 || len(bySequence) != 3 {
		t.Errorf("the log is %q, %v", whole, err)
	}
	if len(cp.finished) != 3 || cp.finished[2].SignalReason != wire.ReasonAgentStop {
		t.Errorf("finished with %+v", cp.finished)
	}
	if left := spooledFiles(dir); len(left) > 0 {
		t.Errorf("in the spool: %v", left)
	}
}

// TestRunSpools runs jobs with calls that fail. A job stays in the spool if its
// result or its log is undelivered.
func TestRunSpools(t *testing.T) {
	t.Parallel()
	noResponse := errors.New("no response")
	tests := []struct {
		name         string
		errs         map[string]error
		undelivered  bool
		acknowledged bool // the result
	}{
		{name: "success"},
		{name: "start fails", errs: map[string]error{"start": noResponse}},
		{name: "no response to the result", errs: map[string]error{"finish": noResponse}, undelivered: true},
		{name: "result refused", errs: map[string]error{"finish": fmt.Errorf("%w: 401", wire.ErrRefused)}},
		{name: "no response to the chunk", errs: map[string]error{"chunk": noResponse}, undelivered: true, acknowledged: true},
		{name: "chunk refused", errs: map[string]error{"chunk": fmt.Errorf("%w: 404", wire.ErrRefused)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{
				onStart:  func(context.Context) error { return tt.errs["start"] },
				onChunk:  func(context.Context, wire.Chunk) error { return tt.errs["chunk"] },
				onFinish: func(context.Context) error { return tt.errs["finish"] },
			}
			spec, opts := jobFor(t, "echo hello; exit 3")
			spec.Token = "the-token"
			s, err := spool.Open(t.TempDir()+"/spool", nil)
			if err != nil {
				t.Fatal(err)
			}
			opts.Spool, spec.ReportEndpoint = s, "http://127.0.0.1/v3"
			result, err := Run(t.Context(), spec, cp, opts)
			if tt.errs["start"] == nil && result.ExitStatus != "3" {
				t.Fatalf("%+v, %v", result, err)
			}
			undelivered := false
			for e := range s.Undelivered() {
				undelivered = true
				if got, ok := e.Result(); !ok || got.ExitStatus != "3" || got.Acknowledged != tt.acknowledged || got.ChunksFailed != 0 {
					t.Errorf("the spool has %+v, %v", got, ok)
				}
				again := &recorder{}
				if err := Deliver(t.Context(), e, again, zap.NewNop()); err != nil {
					t.Error(err)
				}
				if whole, _ := again.log(); string(whole) != "hello\n" || (len(again.finished) == 0) != tt.acknowledged {
					t.Errorf("delivered %q, and the result %d times", whole, len(again.finished))
				}
			}
			if undelivered != tt.undelivered {
				t.Errorf("undelivered: %v", undelivered)
			}
		})
	}
}

// TestRunSyncs runs jobs whose result is delivered at once, late, and not at all: only
// what is undelivered for longer than a moment is synced to the disk.
func TestRunSyncs(t *testing.T) {
	t.Parallel()
	const message = "synced undelivered job results to disk"
	tests := []struct {
		name     string
		onFinish func(ctx context.Context, synced <-chan struct{}) error
		syncs    bool
	}{
		{"delivered at once", func(context.Context, <-chan struct{}) error { return nil }, false},
		{"delivered after the sync", func(ctx context.Context, synced <-chan struct{}) error {
			select {
			case <-synced:
			case <-ctx.Done():
			}
			return ctx.Err()
		}, true},
		{"the agent leaves", func(context.Context, <-chan struct{}) error { return errors.New("no response") }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synced := make(chan struct{})
			var once sync.Once
			logger := zaptest.NewLogger(t, zaptest.WrapOptions(zap.Hooks(func(e zapcore.Entry) error {
				if e.Message == message {
					once.Do(func() { close(synced) })
				}
				return nil
			})))
			s, err := spool.Open(t.TempDir()+"/spool", logger)
			if err != nil {
				t.Fatal(err)
			}
			cp := &recorder{onFinish: func(ctx context.Context) error {
				ctx, cancel := context.WithTimeout(ctx, time.Minute)
				defer cancel()
				return tt.onFinish(ctx, synced)
			}}
			spec, opts := jobFor(t, "echo hello; exit 3")
			opts.Spool, spec.ReportEndpoint = s, "http://127.0.0.1/v3"
			if !tt.syncs { // however slow the machine is
				opts.syncDelay = long
			}
			if result, err := Run(t.Context(), spec, cp, opts); result.ExitStatus != "3" || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%+v, %v", result, err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			select {
			case <-synced:
				if !tt.syncs {
					t.Error("the spool was synced")
				}
			default:
				if tt.syncs {
					t.Error("the spool was not synced")
				}
			}
		})
	}
}
