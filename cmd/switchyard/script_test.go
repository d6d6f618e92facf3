package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain makes the test binary stand in for the program: in a script,
// `exec switchyard` is a process of its own that runs main.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"switchyard": main})
}

// TestScripts runs each script of testdata/script. A script has a home and a
// data directory of its own, and knows no setting but what it says itself.
func TestScripts(t *testing.T) {
	t.Parallel()
	commands := processCommands()
	commands["exits"] = exits
	commands["certificate"] = certificate
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_STATE_HOME", env.WorkDir+"/state")
			env.Setenv("TMPDIR", env.WorkDir)
			env.Values[processesKey] = processes{}
			return nil
		},
		Cmds: commands,
	})
}
