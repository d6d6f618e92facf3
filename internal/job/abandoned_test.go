package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestRunAbandoned runs jobs whose command is never run. No finish is sent, unless
// the start may have arrived.
func TestRunAbandoned(t *testing.T) {
	t.Parallel()
	refused := errors.New("422")
	tests := []struct {
		name   string
		setup  func(*Spec, *Options, *recorder, context.CancelCauseFunc)
		phase  Phase
		is     error // also wrapped
		kept   bool  // finished, not abandoned
		reason string
		calls  []string
	}{
		{
			name:  "no id",
			setup: func(s *Spec, _ *Options, _ *recorder, _ context.CancelCauseFunc) { s.ID = "" },
			phase: PhaseSpec,
		},
		{
			name:  "no build path",
			setup: func(_ *Spec, o *Options, _ *recorder, _ context.CancelCauseFunc) { o.BuildPath = "" },
			phase: PhaseSpec,
		},
		{
			name:  "negative grace",
			setup: func(_ *Spec, o *Options, _ *recorder, _ context.CancelCauseFunc) { o.CancelGrace = -1 },
			phase: PhaseSpec,
		},
		{
			name: "start refused",
			setup: func(_ *Spec, _ *Options, cp *recorder, _ context.CancelCauseFunc) {
				cp.onStart = func(context.Context) error { return refused }
			},
			phase: PhaseStart, is: refused, calls: []string{"start"},
		},
		{
			name:  "canceled before",
			setup: func(_ *Spec, _ *Options, _ *recorder, cancel context.CancelCauseFunc) { cancel(ErrAgentStop) },
			phase: PhaseStart, is: ErrAgentStop,
		},
		{
			name: "canceled while starting",
			setup: func(_ *Spec, _ *Options, cp *recorder, cancel context.CancelCauseFunc) {
				cp.onStart = func(ctx context.Context) error {
					cancel(ErrAgentStop)
					return ctx.Err()
				}
			},
			phase: PhaseStart, is: ErrAgentStop, kept: true, reason: wire.ReasonAgentStop, calls: []string{"start", "finish"},
		},
		{
			name: "canceled when started",
			setup: func(_ *Spec, _ *Options, cp *recorder, cancel context.CancelCauseFunc) {
				cp.onStart = func(context.Context) error {
					cancel(ErrCanceled)
					return nil
				}
			},
			kept: true, reason: wire.ReasonCancel, calls: []string{"start", "chunk", "finish"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			cp := &recorder{}
			spec, opts := jobFor(t, "touch "+filepath.Join(t.TempDir(), "ran"))
			tt.setup(&spec, &opts, cp, cancel)
			result, err := Run(ctx, spec, cp, opts)
			if errors.Is(err, ErrAbandoned) == tt.kept {
				t.Errorf("abandoned: %v", err)
			}
			if tt.phase != "" && !errors.Is(err, tt.phase) || !errors.Is(err, tt.is) && tt.is != nil {
				t.Errorf("error %v, want phase %s, %v", err, tt.phase, tt.is)
			}
			if !slices.Equal(cp.calls, tt.calls) {
				t.Errorf("calls %v, want %v", cp.calls, tt.calls)
			}
			if tt.kept && (result.ExitStatus != wire.ExitStatusNeverRan || result.SignalReason != tt.reason) {
				t.Errorf("result %+v", result)
			}
			if _, err := os.Stat(strings.TrimPrefix(spec.Env[wire.EnvCommand], "touch ")); err == nil {
				t.Error("the command was run")
			}
		})
	}
}
