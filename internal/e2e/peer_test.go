package e2e_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

const (
	// peerProgram is the agent by others that the control plane must serve as it serves ours.
	peerProgram = "buildkite-agent"
	// peerVariable says where it is, if not on the PATH.
	peerVariable = "SWITCHYARD_PEER_AGENT"
	// requirePeer is the variable by which CI forbids to leave it out.
	requirePeer = "SWITCHYARD_REQUIRE_PEER"
)

// peerPath finds the agent by others.
func peerPath() (string, error) {
	return exec.LookPath(cmp.Or(os.Getenv(peerVariable), peerProgram)) //nolint:wrapcheck // it says what is missing
}

// TestPeer runs the scripts about an agent by others, over every path.
func TestPeer(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	peer, err := peerPath()
	if err != nil && os.Getenv(requirePeer) == "1" {
		t.Fatalf("%s=1, and there is no %s: %v", requirePeer, peerProgram, err)
	}
	if err != nil {
		t.Skipf("no %s: put one on the PATH, or name it in %s, as `.ci/run peer` does", peerProgram, peerVariable)
	}
	for _, way := range paths {
		if way.nginx == "http2" {
			continue // that front speaks HTTP/2 alone, which this agent does over TLS only
		}
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			if way.nginx != "" {
				needNginx(t)
			}
			p := params(t, "testdata/peer", way)
			setup := p.Setup
			p.Setup = func(env *testscript.Env) error {
				if err := setup(env); err != nil {
					return err
				}
				tools := filepath.Join(env.WorkDir, ".peer")
				env.Setenv("PATH", tools+":"+env.Getenv("PATH")) // jobs call it by its name
				if err := os.Mkdir(tools, 0o700); err != nil {
					return err //nolint:wrapcheck // it names the directory
				}
				return os.Symlink(peer, filepath.Join(tools, peerProgram)) //nolint:wrapcheck // it names the link
			}
			testscript.Run(t, p)
		})
	}
}

// peerSettings are what an agent by others must be told, as its users do: where the control plane is, its token, where
// to build, and by which way to be given work. All else is as it comes.
func peerSettings(ts *testscript.TestScript) []string {
	token, err := os.ReadFile(filepath.Join(ts.Getenv("SWITCHYARD_DATA_DIR"), "registration-token"))
	ts.Check(err)
	return []string{
		"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"),
		"BUILDKITE_AGENT_ENDPOINT=" + cmp.Or(ts.Getenv("SWITCHYARD_AGENT_ENDPOINT"), ts.Getenv("SWITCHYARD_ENDPOINT")+"/v3"),
		"BUILDKITE_AGENT_TOKEN=" + string(token),
		"BUILDKITE_AGENT_NAME=peer",
		"BUILDKITE_AGENT_PING_MODE=" + ts.Getenv("SWITCHYARD_AGENT_MODE"),
		"BUILDKITE_BUILD_PATH=" + filepath.Join(ts.Getenv("HOME"), "builds"),
		"BUILDKITE_NO_COLOR=true",
	}
}
