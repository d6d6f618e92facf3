package job

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/workspace"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// killedAgentVar is the environment variable that makes the test program an agent
// that is killed by its own job.
const killedAgentVar = "SWITCHYARD_TEST_KILLED_AGENT"

// TestKilledAgent is the agent that TestClaim runs.
func TestKilledAgent(t *testing.T) {
	if os.Getenv(killedAgentVar) == "" {
		t.Skip("run by TestClaim")
	}
	claim, err := workspace.ClaimBuildPath(".", workspace.CleanupAlways, zap.NewNop())
	if err != nil {
		t.Fatal(err)
	}
	spec, opts := jobFor(t, `exec 9>"$LIFELINE"; setsid sh -c 'sleep 600 & exit' </dev/null >/dev/null 2>&1; kill -KILL $BUILDKITE_AGENT_PID; sleep 600`)
	spec.Env["LIFELINE"] = os.Getenv("LIFELINE")
	opts.BuildPath, opts.Claim = ".", claim
	_, err = Run(t.Context(), spec, &recorder{}, opts)
	t.Fatal("still running:", err)
}

// TestClaim runs an agent that is killed by its own job, and checks what the next
// agent does with what was left.
func TestClaim(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		cleanup workspace.Cleanup
		kept    int
	}{{workspace.CleanupAlways, 0}, {workspace.CleanupOnSuccess, 1}, {workspace.CleanupNever, 1}} {
		t.Run(string(tt.cleanup), func(t *testing.T) {
			t.Parallel()
			buildPath := t.TempDir()
			line := newLifeline(t)

			// A living agent, whose job is left alone.
			alive, err := workspace.ClaimBuildPath(buildPath, tt.cleanup, zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			r := &run{spec: Spec{Job: wire.Job{ID: "other"}}, opts: Options{Settings: Settings{BuildPath: buildPath}, Shared: Shared{Claim: alive}}}
			if err := r.makeDir(); err != nil {
				t.Fatal(err)
			}
			agent := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledAgent$") //nolint:gosec // this program
			agent.Dir = buildPath
			agent.Env = append(os.Environ(), killedAgentVar+"=yes", "LIFELINE="+line.path)
			if out, err := agent.CombinedOutput(); err == nil || agent.ProcessState.ExitCode() != -1 {
				t.Fatalf("the agent was not killed: %v\n%s", err, out)
			}
			next, err := workspace.ClaimBuildPath(buildPath, tt.cleanup, zap.NewNop())
			if err != nil {
				t.Fatal(err)
			}
			line.gone(t)
			workspaces, err := filepath.Glob(filepath.Join(buildPath, "job-0190-test-*"))
			if err != nil || len(workspaces) != tt.kept {
				t.Errorf("working directories %q, want %d", workspaces, tt.kept)
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
