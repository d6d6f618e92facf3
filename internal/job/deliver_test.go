package job

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/spool"
)

// What an agent that is gone has owed is delivered, or dropped where the
// control plane does not want it, or still owed where nobody has answered. Each
// row is a job with the output "one\ntwo\n" in two chunks, of which the first
// was delivered.
func TestDeliver(t *testing.T) {
	t.Parallel()
	var (
		refused    = fmt.Errorf("%w: 422", ErrRefused)
		unanswered = errors.New("no answer")
		ended      = &spool.Result{ExitStatus: "7", ChunksFailed: 2}
		delivered  = &spool.Result{ExitStatus: "7", Delivered: true}
	)
	const obituary = "switchyard: the agent that ran this job (process 4711) ended before the job did"
	tests := []struct {
		name   string
		result *spool.Result // nil: the job's end was not seen
		state  string
		errs   map[string]error // by call
		age    time.Duration
		calls  []string
		owed   bool
		status string
		reason SignalReason
		failed int
		log    string // what it must say behind the output
	}{
		{name: "its end was seen", result: ended, calls: []string{"chunk", "finish"}, status: "7", failed: 2},
		{name: "only output", result: delivered, calls: []string{"chunk"}},
		{
			name: "its end was not seen", state: "running", calls: []string{"state", "chunk", "chunk", "finish"},
			status: "-1", reason: ReasonAgentStop, log: obituary,
		},
		{
			name: "a control plane that tells no state", calls: []string{"state", "chunk", "chunk", "finish"},
			status: "-1", reason: ReasonAgentStop, log: obituary,
		},
		{
			name: "it is being cancelled", state: "canceling", calls: []string{"state", "chunk", "chunk", "finish"},
			status: "-1", reason: ReasonAgentStop, log: obituary,
		},
		{name: "never started", state: "accepted", calls: []string{"state"}},
		{name: "another's", state: "assigned", calls: []string{"state"}},
		{name: "over already", state: "finished", calls: []string{"state"}},
		{name: "the token is dead", errs: map[string]error{"state": ErrTokenInvalid}, calls: []string{"state"}},
		{name: "no such job", errs: map[string]error{"state": refused}, calls: []string{"state"}},
		{name: "nobody there", errs: map[string]error{"state": unanswered}, calls: []string{"state"}, owed: true},
		{name: "nobody there for the log", result: ended, errs: map[string]error{"chunk": unanswered}, calls: []string{"chunk"}, owed: true},
		{
			name: "nobody there for the end", result: ended, errs: map[string]error{"finish": unanswered},
			calls: []string{"chunk", "finish"}, owed: true,
		},
		{
			name: "nobody there for a week", result: ended, errs: map[string]error{"finish": unanswered},
			age: spool.MaxAge + time.Minute, calls: []string{"chunk", "finish"},
		},
		{
			name: "the log is refused", result: ended, errs: map[string]error{"chunk": refused}, calls: []string{"chunk", "finish"},
			status: "7", failed: 3,
		},
		{name: "the end is refused", result: ended, errs: map[string]error{"finish": refused}, calls: []string{"chunk", "finish"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := owedJob(t, tt.result, tt.age)
			cp := &recorder{}
			say := func(call string) func(context.Context) error {
				return func(context.Context) error { return tt.errs[call] }
			}
			cp.onFinish = say("finish")
			cp.onState = func(context.Context) (string, error) {
				cp.note("state")
				return tt.state, tt.errs["state"]
			}
			cp.onChunk = func(context.Context, Chunk) error {
				if tt.errs["chunk"] != nil {
					cp.note("chunk")
				}
				return tt.errs["chunk"]
			}
			s, err := spool.Open(dir, nil)
			if err != nil {
				t.Fatal(err)
			}
			for e := range s.Owed() {
				if err := Deliver(t.Context(), e, cp, zap.NewNop()); (err != nil) != tt.owed {
					t.Errorf("Deliver: %v", err)
				}
			}
			if left, _ := os.ReadDir(dir); (len(left) > 0) != tt.owed {
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
				cp.chunks = append(cp.chunks, Chunk{Sequence: 1, Size: 4, Data: []byte("one\n")})
				whole, err := joinChunks(cp.chunks)
				if _, rest, ok := strings.Cut(string(whole), "one\ntwo\n"); err != nil || !ok || !strings.Contains(rest, tt.log) {
					t.Errorf("the log is %q, %v", whole, err)
				}
			}
		})
	}
}

// owedJob leaves a job in a new spool as an agent does that is killed, and
// gives the spool's folder.
func owedJob(t *testing.T, result *spool.Result, age time.Duration) string {
	t.Helper()
	dir := t.TempDir() + "/spool"
	s, err := spool.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Begin(spool.Job{
		ID: "J1", Token: "t", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: 1000, StartedAt: time.Now().Add(-age), PID: 4711,
	})
	if err != nil {
		t.Fatal(err)
	}
	err = errors.Join(e.Append(1, 0, []byte("one\n")), e.Append(2, 4, []byte("two\n")))
	e.Delivered(spool.Piece{Number: 1, Size: 4})
	if result != nil {
		err = errors.Join(err, e.SetResult(*result))
	}
	if err != nil {
		t.Fatal(err)
	}
	e.Close()
	return dir
}

// After a delivery of a job whose end was not seen has failed half way, the
// next one says the same, once.
func TestDeliverTwice(t *testing.T) {
	t.Parallel()
	dir := owedJob(t, nil, 0)
	s, err := spool.Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	cp := &recorder{onFinish: func(context.Context) error { return errors.New("no answer") }}
	for range 3 {
		for e := range s.Owed() {
			_ = Deliver(t.Context(), e, cp, zap.NewNop())
		}
		if len(cp.finished) == 2 {
			cp.onFinish = nil
		}
	}
	byNumber := map[uint64]Chunk{1: {Sequence: 1, Size: 4, Data: []byte("one\n")}}
	for _, c := range cp.chunks {
		if had, ok := byNumber[c.Sequence]; ok && !bytes.Equal(had.Data, c.Data) {
			t.Errorf("chunk %d was %q, and then %q", c.Sequence, had.Data, c.Data)
		}
		byNumber[c.Sequence] = c
	}
	whole, err := joinChunks([]Chunk{byNumber[1], byNumber[2], byNumber[3]})
	if err != nil || strings.Count(string(whole), "ended before the job did") != 1 || len(byNumber) != 3 {
		t.Errorf("the log is %q, %v", whole, err)
	}
	if len(cp.finished) != 3 || cp.finished[2].SignalReason != ReasonAgentStop {
		t.Errorf("finished with %+v", cp.finished)
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("in the spool: %v", left)
	}
}

// What a run leaves in the spool: nothing, unless the control plane has not
// heard of the end or not got the output.
func TestRunSpools(t *testing.T) {
	t.Parallel()
	unanswered := errors.New("no answer")
	tests := []struct {
		name      string
		errs      map[string]error
		owed      bool
		delivered bool
	}{
		{name: "all is well"},
		{name: "the start is refused", errs: map[string]error{"start": unanswered}},
		{name: "the end is not taken", errs: map[string]error{"finish": unanswered}, owed: true},
		{name: "the end is refused", errs: map[string]error{"finish": fmt.Errorf("%w: 401", ErrRefused)}},
		{name: "the log is not taken", errs: map[string]error{"chunk": unanswered}, owed: true, delivered: true},
		{name: "the log is refused", errs: map[string]error{"chunk": fmt.Errorf("%w: 404", ErrRefused)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{
				onStart:  func(context.Context) error { return tt.errs["start"] },
				onChunk:  func(context.Context, Chunk) error { return tt.errs["chunk"] },
				onFinish: func(context.Context) error { return tt.errs["finish"] },
			}
			spec, opts := jobFor(t, "echo hello; exit 3")
			spec.Token = "the-token"
			s, err := spool.Open(t.TempDir()+"/spool", nil)
			if err != nil {
				t.Fatal(err)
			}
			opts.Spool, opts.ReportEndpoint = s, "http://127.0.0.1/v3"
			result, err := Run(t.Context(), spec, cp, opts)
			if tt.errs["start"] == nil && result.ExitStatus != "3" {
				t.Fatalf("%+v, %v", result, err)
			}
			owed := false
			for e := range s.Owed() {
				owed = true
				if got, ok := e.Result(); !ok || got.ExitStatus != "3" || got.Delivered != tt.delivered || got.ChunksFailed != 0 {
					t.Errorf("the spool has %+v, %v", got, ok)
				}
				again := &recorder{}
				if err := Deliver(t.Context(), e, again, zap.NewNop()); err != nil {
					t.Error(err)
				}
				if whole, _ := again.log(); string(whole) != "hello\n" || (len(again.finished) == 0) != tt.delivered {
					t.Errorf("delivered %q, and the end %d times", whole, len(again.finished))
				}
			}
			if owed != tt.owed {
				t.Errorf("owed: %v", owed)
			}
		})
	}
}
