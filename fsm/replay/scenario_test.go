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
			command := d.Cmd
			for _, arg := range d.CmdArgs {
				command += " " + arg.String()
			}
			answer, err := s.Do(command)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			return answer
		})
	})
}
