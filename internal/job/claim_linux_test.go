package job

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/workspace"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// killedAgentVar is the environment variable that makes the test program an agent
// that is killed by its own job.
const killedAgentVar = "SWITCHYARD_TEST_KILLED_AGENT"

// executorVar makes it use an executor, and socketsVar names its folder of sockets.
const executorVar, socketsVar = "SWITCHYARD_TEST_EXECUTOR", "SWITCHYARD_TEST_SOCKETS"

// TestKilledAgent is the agent that TestClaim runs.
func TestKilledAgent(t *testing.T) {
	if os.Getenv(killedAgentVar) == "" {
		t.Skip("run by TestClaim")
	}
	claim, err := workspace.ClaimBuildPath(".", workspace.CleanupAlways, joblink.IsDir, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	spec, opts := jobFor(t, `exec 9>"$LIFELINE"; setsid sh -c 'sleep 600 & exit' </dev/null >/dev/null 2>&1; kill -KILL $BUILDKITE_AGENT_PID; sleep 600`)
	spec.Env["LIFELINE"] = os.Getenv("LIFELINE")
	opts.BuildPath, opts.Claim = ".", claim
	if os.Getenv(executorVar) != "" {
		opts.Executor, err = filepath.Abs("executor")
		if err = errors.Join(err, os.WriteFile(opts.Executor, []byte("#!/bin/sh\n"+spec.Env[wire.EnvCommand]+"\n"), 0o700)); err != nil { //nolint:gosec // a program
			t.Fatal(err)
		}
	}
	if err := claim.AddSocketDir(os.Getenv(socketsVar)); err != nil {
		t.Fatal(err)
	}
	_, err = Run(t.Context(), spec, &recorder{}, opts)
	t.Fatal("still running:", err)
}

// TestClaim runs an agent that is killed by its own job, and checks what the next
// agent does with what was left.
func TestClaim(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		cleanup  workspace.Cleanup
		executor string
		kept     int
	}{
		{"always", workspace.CleanupAlways, "", 0},
		{"on success", workspace.CleanupOnSuccess, "", 1},
		{"never", workspace.CleanupNever, "", 1},
		{"never, with an executor", workspace.CleanupNever, "yes", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			buildPath := t.TempDir()
			line := newLifeline(t)

			// A living agent, whose job is left alone.
			alive, err := workspace.ClaimBuildPath(buildPath, tt.cleanup, joblink.IsDir, zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			r := &run{spec: Spec{Job: wire.Job{ID: "other"}}, opts: Options{Settings: Settings{BuildPath: buildPath}, Shared: Shared{Claim: alive}}}
			if err := r.makeDir(); err != nil {
				t.Fatal(err)
			}
			sockets, err := os.MkdirTemp("", "switchyard-job-*") //nolint:usetesting // the name counts
			if err != nil {
				t.Fatal(err)
			}
			agent := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledAgent$") //nolint:gosec // this program
			agent.Dir = buildPath
			agent.Env = append(os.Environ(), killedAgentVar+"=yes", "LIFELINE="+line.path, executorVar+"="+tt.executor, socketsVar+"="+sockets)
			if out, err := agent.CombinedOutput(); err == nil || agent.ProcessState.ExitCode() != -1 {
				t.Fatalf("the agent was not killed: %v\n%s", err, out)
			}
			next, err := workspace.ClaimBuildPath(buildPath, tt.cleanup, joblink.IsDir, zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			line.gone(t)
			workspaces, err := filepath.Glob(filepath.Join(buildPath, "job-0190-test-*"))
			if err != nil || len(workspaces) != tt.kept {
				t.Errorf("working directories %q, want %d", workspaces, tt.kept)
			}
			if _, err := os.Stat(sockets); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("the folder of sockets: %v, must be removed", err)
			}
			secrets, err := filepath.Glob(filepath.Join(buildPath, ".agents", "*", "*", ".env-*"))
			if more, _ := filepath.Glob(filepath.Join(buildPath, ".env-*")); err != nil || len(secrets)+len(more) > 0 {
				t.Errorf("files with the variables of a job are left: %q %q, %v", secrets, more, err)
			}
			if _, err := os.Stat(r.dir); err != nil {
				t.Errorf("the other agent's job was changed: %v", err)
			}
			for _, claim := range []*workspace.Claim{alive, next} {
				if err := claim.Close(); err != nil {
					t.Error(err)
				}
			}
			if left, err := os.ReadDir(filepath.Join(buildPath, ".agents")); err != nil || len(left) != 1 {
				t.Errorf("claims %v, %v; want the lock alone", left, err)
			}
		})
	}
}
