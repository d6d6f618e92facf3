//go:build unix

package job

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestRunFails runs jobs whose command cannot be run, or of which not all can be delivered.
func TestRunFails(t *testing.T) {
	t.Parallel()
	refused := errors.New("422")
	runAll(t, []runTest{
		{
			name: "shell missing", script: "true", setup: func(s setup) { s.opts.Shell = []string{"/no/such/shell"} },
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhaseProcess},
			log: []string{"switchyard: cannot run the job: starting the shell /no/such/shell", "no such file or directory"},
		},
		{
			name: "shell is not a program", script: "true", setup: func(s setup) { s.opts.Shell = []string{"/dev/null"} },
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhaseProcess}, log: []string{"/dev/null", "permission denied"},
		},
		{
			name: "command too long", script: ": " + strings.Repeat("x", 4<<20),
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhaseProcess},
			log: []string{"cannot run the job", "argument list too long", "put it in a file"},
		},
		{
			name: "no command", script: " \n", status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhasePrepare},
			log: []string{"cannot run the job", "BUILDKITE_COMMAND is empty"},
		},
		{
			name: "invalid variable name", script: "true", setup: func(s setup) { s.spec.Env["A=B"] = "c" },
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhasePrepare}, log: []string{`"A=B"`},
		},
		{
			name: "invalid value", script: "true", setup: func(s setup) { s.spec.Env["A"] = "b\x00c" },
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhasePrepare}, log: []string{`"A"`},
		},
		{
			name: "build path is a file", script: "true",
			setup: func(s setup) {
				s.opts.BuildPath = filepath.Join(s.opts.BuildPath, "file")
				if err := os.WriteFile(s.opts.BuildPath, nil, 0o600); err != nil {
					panic(err)
				}
			},
			status: "-1", reason: wire.ReasonProcessRunError, phases: []Phase{PhasePrepare},
			log: []string{"cannot run the job: creating the build path", "not a directory"},
		},
		{
			name: "chunks of 0 bytes", script: "echo never", setup: func(s setup) { s.spec.ChunkMaxSize = 0 },
			status: "-1", reason: wire.ReasonAgentRefused, phases: []Phase{PhaseSpec},
		},
		{
			name: "chunks fail", script: "echo one", setup: func(s setup) {
				s.cp.onChunk = func(context.Context, wire.Chunk) error { return refused }
			}, status: "0", phases: []Phase{PhaseFlush},
		},
		{
			name: "finish fails", script: "true", setup: func(s setup) {
				s.cp.onFinish = func(context.Context) error { return refused }
			}, status: "0", phases: []Phase{PhaseFinish},
		},
		{
			name: "uploads hang past the flush", script: "echo one; exit 3", setup: func(s setup) {
				s.opts.FlushTimeout = time.Millisecond
				s.cp.onChunk = func(ctx context.Context, _ wire.Chunk) error {
					<-ctx.Done()
					return ctx.Err()
				}
			}, status: "3", phases: []Phase{PhaseFlush},
		},
	})
}
