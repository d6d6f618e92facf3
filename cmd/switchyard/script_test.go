package main

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/switchyard-ci/switchyard/internal/freeport"
	"github.com/switchyard-ci/switchyard/internal/scripttest"
)

// TestMain makes the test binary stand in for the programs: in a script,
// `exec switchyard` is a process of its own that runs main.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"switchyard": main, "jq": jq})
}

// TestScripts runs each script of testdata/script. A script has its own home and
// data directory, and no setting but those that it makes itself. Package
// scripttest describes the commands. The condition [race] holds with the race detector.
func TestScripts(t *testing.T) {
	t.Parallel()
	guide, err := filepath.Abs("../../OPERATING.md")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			// Of a control plane that is started again, on a port that the system assigns to
			// nothing else meanwhile.
			free, err := freeport.Addresses(context.Background(), 1)
			if err != nil {
				return err //nolint:wrapcheck // it is complete
			}
			env.Setenv("FREE_ADDRESS", free[0])
			env.Setenv("HOME", env.WorkDir)
			env.Setenv("XDG_STATE_HOME", env.WorkDir+"/state")
			env.Setenv("TMPDIR", env.WorkDir)
			env.Setenv("OPERATING", guide)
			setupCollector(env)
			scripttest.Setup(env)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "race" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return raceDetector, nil
		},
		Cmds: scripttest.Commands(collectorCommands()...),
	})
}
