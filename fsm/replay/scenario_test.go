package replay_test

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/switchyard-ci/switchyard/fsm/replay"
)

// TestScenarios runs every script of testdata/scenarios; -rewrite writes the
// table's answers into them.
func TestScenarios(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "../../testdata/scenarios", func(t *testing.T, path string) {
		var s replay.Session
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			t.Helper()
			args := make([]replay.Arg, len(d.CmdArgs))
			for i, a := range d.CmdArgs {
				args[i].Key = a.Key
				if len(a.Vals) > 0 {
					args[i].Value = a.Vals[0]
				}
			}
			answer, err := s.Do(d.Cmd, args)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			return answer
		})
	})
}
