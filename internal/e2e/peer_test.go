package e2e_test

import (
	"cmp"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// peerProgram is Buildkite's own agent, which the control plane serves too.
	peerProgram = "buildkite-agent"
	// peerVariable names its path, if it is not on the PATH.
	peerVariable = "SWITCHYARD_PEER_AGENT"
	// requirePeer is the variable with which CI makes the tests with it mandatory.
	requirePeer = "SWITCHYARD_REQUIRE_PEER"
)

// peerPath returns the path of Buildkite's agent.
func peerPath() (string, error) {
	return exec.LookPath(cmp.Or(os.Getenv(peerVariable), peerProgram)) //nolint:wrapcheck // it says what is missing
}

// TestPeer runs the scripts with Buildkite's agent, over every path.
func TestPeer(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	peer, err := peerPath()
	if err != nil && os.Getenv(requirePeer) == "1" {
		t.Fatalf("%s=1, but there is no %s: %v", requirePeer, peerProgram, err)
	}
	if err != nil {
		t.Skipf("no %s: put one on the PATH, or name it in %s, as `.ci/run peer` does", peerProgram, peerVariable)
	}
	for _, way := range paths {
		if way.nginx == "http2" {
			continue // that front has HTTP/2 only, which this agent uses over TLS only
		}
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			if way.nginx != "" {
				needNginx(t)
			}
			p := params(t, "testdata/peer", way)
			prepare := p.Setup
			p.Setup = func(env *testscript.Env) error {
				if err := prepare(env); err != nil {
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

// peerSettings returns the environment of Buildkite's agent: the control plane and
// its token, the build path, and the path of its jobs. The rest are its defaults.
func peerSettings(ts *testscript.TestScript) []string {
	token, err := os.ReadFile(filepath.Join(ts.Getenv("SWITCHYARD_DATA_DIR"), "registration-token"))
	ts.Check(err)
	return []string{
		"PATH=" + ts.Getenv("PATH"), "HOME=" + ts.Getenv("HOME"),
		wire.EnvAgentEndpoint + "=" + cmp.Or(ts.Getenv("SWITCHYARD_AGENT_ENDPOINT"), ts.Getenv("SWITCHYARD_ENDPOINT")+wire.Prefix),
		wire.EnvAgentToken + "=" + string(token),
		wire.EnvAgentName + "=peer",
		"BUILDKITE_AGENT_PING_MODE=" + ts.Getenv("SWITCHYARD_AGENT_MODE"),
		wire.EnvBuildPath + "=" + filepath.Join(ts.Getenv("HOME"), "builds"),
		"BUILDKITE_NO_COLOR=true",
	}
}
