//go:build unix

package job

import (
	"context"
	"errors"
	"maps"
	"testing"
)

// TestTerminal runs jobs on a terminal of their own.
func TestTerminal(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script   string
		env            map[string]string
		cancel         bool
		status, signal string
		log            []string
	}{
		{
			name: "stdin, stdout and stderr are the terminal", script: `test -t 0 && test -t 1 && test -t 2 && stty size && echo "$TERM $BUILDKITE_PTY"`,
			status: "0", log: []string{"100 160\r\nxterm-256color true\r\n"},
		},
		{name: "it is the terminal of the session", script: "echo there >/dev/tty", status: "0", log: []string{"there\r\n"}},
		{name: "the job sets TERM", script: `echo "$TERM"`, env: map[string]string{"TERM": "dumb"}, status: "0", log: []string{"dumb\r\n"}},
		{name: "all output is read", script: "head -c 300000 /dev/zero | tr '\\0' '#'; echo end; exit 3", status: "3", log: []string{"####end\r\n"}},
		{name: "canceled", script: "echo ready; sleep 600", cancel: true, status: "-1", signal: "SIGTERM", log: []string{"ready", "sent SIGTERM"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, tt.script)
			opts.PTY, opts.CancelGrace, opts.OutputGrace = true, long, long
			maps.Copy(spec.Env, tt.env)
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			if tt.cancel {
				go func() {
					cp.await(t, "ready")
					cancel(ErrCanceled)
				}()
			}
			result, err := Run(ctx, spec, cp, opts)
			if err != nil || result.ExitStatus != tt.status || result.Signal != tt.signal || tt.cancel != errors.Is(result.Canceled, ErrCanceled) {
				t.Errorf("%+v, %v", result, err)
			}
			checkLog(t, cp, "", tt.log)
			checkCalls(t, cp, result)
			checkEmpty(t, opts.BuildPath)
		})
	}
}
