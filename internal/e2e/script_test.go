package e2e_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// paths are the ways by which work can reach a worker.
//
//nolint:gochecknoglobals // a table, never written
var paths = []struct {
	name     string
	settings map[string]string
	cut      bool // a proxy stands between, and has cut the stream
}{
	{name: "stream"},
	{name: "stream-only", settings: map[string]string{"SWITCHYARD_AGENT_MODE": "stream-only"}},
	{name: "poll-only", settings: map[string]string{"SWITCHYARD_AGENT_MODE": "poll-only"}},
	{name: "no stream served", settings: map[string]string{"SWITCHYARD_SERVER_STREAM": "false"}},
	{name: "stream cut", cut: true},
}

// TestScripts runs the scripts that know by which way work comes.
func TestScripts(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	testscript.Run(t, params(t, "testdata/script", nil, false))
}

// TestPaths runs the others, over every path.
func TestPaths(t *testing.T) {
	t.Parallel()
	skipIfShort(t)
	for _, path := range paths {
		t.Run(path.name, func(t *testing.T) {
			t.Parallel()
			testscript.Run(t, params(t, "testdata/path", path.settings, path.cut))
		})
	}
}

func params(t *testing.T, dir string, settings map[string]string, cut bool) testscript.Params {
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
		Setup: func(env *testscript.Env) error {
			for name, value := range map[string]string{
				"PATH":                            bin + ":" + tools + ":" + os.Getenv("PATH"),
				"HOME":                            env.WorkDir,
				"SWITCHYARD_DATA_DIR":             filepath.Join(env.WorkDir, "data"),
				"SWITCHYARD_SERVER_LISTEN":        "127.0.0.1:0",
				"SWITCHYARD_SERVER_PING_INTERVAL": "1s",
				"SWITCHYARD_AGENT_NAME":           "worker",
				"SWITCHYARD_AGENT_MODE":           "auto",
				"SWITCHYARD_LOG_FORMAT":           "json",
				"SWITCHYARD_LOG_LEVEL":            "debug",
				"GORACE":                          "halt_on_error=1",
			} {
				env.Setenv(name, value)
			}
			for name, value := range settings {
				env.Setenv(name, value)
			}
			env.Values[stageKey{}] = newStage(env, cut)
			return nil
		},
	}
}
