package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/freeport"
)

// path is a way in which jobs can reach a worker.
type path struct {
	name     string
	settings map[string]string
	cut      bool   // through a proxy that has cut the stream
	nginx    string // through nginx, with this front of testdata/nginx; empty for none
}

// paths lists all of them.
//
//nolint:gochecknoglobals // a table, never written
var paths = []path{
	{name: "stream"},
	{name: "stream-only", settings: map[string]string{"SWITCHYARD_AGENT_MODE": "stream-only"}},
	{name: "poll-only", settings: map[string]string{"SWITCHYARD_AGENT_MODE": "poll-only"}},
	{name: "no stream served", settings: map[string]string{"SWITCHYARD_SERVER_STREAM": "false"}},
	{name: "stream cut", cut: true},
	{name: "nginx HTTP2", nginx: "http2"},
	{name: "nginx HTTP1", nginx: "http1"},
}

// TestScripts runs the scripts that choose their path themselves.
func TestScripts(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	testscript.Run(t, params(t, "testdata/script", path{}))
}

// TestPaths runs the scripts of testdata/path over every path.
func TestPaths(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	for _, way := range paths {
		t.Run(way.name, func(t *testing.T) {
			t.Parallel()
			if way.nginx != "" {
				needNginx(t)
			}
			testscript.Run(t, params(t, "testdata/path", way))
		})
	}
}

// TestNginx runs the scripts with nginx between agents and control plane.
func TestNginx(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	needNginx(t)
	testscript.Run(t, params(t, "testdata/nginx", path{}))
}

func params(t *testing.T, dir string, way path) testscript.Params {
	t.Helper()
	tools, err := filepath.Abs("testdata/bin")
	if err != nil {
		t.Fatal(err)
	}
	return testscript.Params{
		Dir:                 dir,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                commands(),
		Condition:           condition,
		Setup: func(env *testscript.Env) error {
			// A control plane that is started again has the port that it had before, which
			// nothing else may have taken meanwhile: the system does not choose these.
			listen, err := freeport.Addresses(context.Background(), 2) //nolint:mnd // of two control planes
			if err != nil {
				return err //nolint:wrapcheck // it is complete
			}
			for name, value := range map[string]string{
				"PATH":                            bin + ":" + tools + ":" + os.Getenv("PATH"),
				"HOME":                            env.WorkDir,
				"SWITCHYARD_DATA_DIR":             filepath.Join(env.WorkDir, "data"),
				"SWITCHYARD_SERVER_LISTEN":        listen[0],
				"SECOND_LISTEN":                   listen[1],
				"SWITCHYARD_SERVER_PING_INTERVAL": "1s",
				"SWITCHYARD_AGENT_NAME":           "worker",
				"SWITCHYARD_AGENT_MODE":           "auto",
				"SWITCHYARD_LOG_FORMAT":           "json",
				"SWITCHYARD_LOG_LEVEL":            "debug",
				"GORACE":                          "halt_on_error=1",
			} {
				env.Setenv(name, value)
			}
			for name, value := range way.settings {
				env.Setenv(name, value)
			}
			setup(env, way)
			return nil
		},
	}
}

// condition reports whether a condition of a script that is not testscript's own is
// true: race, with the race detector; pidns, where a process may be the first one of a
// namespace of its own, as in a container.
func condition(name string) (bool, error) {
	switch name {
	case "race":
		return raceEnabled, nil
	case "pidns":
		return exec.Command("unshare", "--pid", "--fork", "--mount-proc", "true").Run() == nil, nil //nolint:noctx // it ends at once
	}
	return false, fmt.Errorf("unknown condition %q", name)
}
