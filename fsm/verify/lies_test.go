package verify

import (
	"slices"
	"testing"

	"github.com/switchyard-ci/switchyard/fsm"
)

// TestLiesAreDetected shows that the exploration with a control plane that lies
// finds the machines that it can starve, or keep from leaving.
func TestLiesAreDetected(t *testing.T) {
	t.Parallel()
	oneGoroutine(t)
	const silent = "with a control plane that lies and streams that stay open and silent, "
	for _, c := range []struct {
		mutant, property string
		mode             fsm.Mode
	}{
		{"rule removed: silence: only the first message has a deadline", silent + "a worker that may poll never does", fsm.Auto},
		{"row dropped: StreamHealthy / TrustExpired [polling allowed]", silent + "a worker that may poll never does", fsm.Auto},
		{"rule removed: once: what was started is forgotten", "a job is started twice", fsm.PollOnly},
		{"row dropped: Running / JobFinished [leaving]", "a worker that must leave stays without work", fsm.StreamOnly},
	} {
		t.Run(c.mutant, func(t *testing.T) {
			t.Parallel()
			all := allMutants()
			i := slices.IndexFunc(all, func(m mutant) bool { return m.name() == c.mutant })
			if i < 0 {
				t.Fatal("no such mutant")
			}
			r, err := run(t.Context(), subject{config: fsm.Config{Mode: c.mode}, liar: true}, smallOptions(all[i].advance), false)
			if err != nil {
				t.Fatal(err)
			}
			var found []string
			for _, v := range r.violations {
				found = append(found, v.Property)
			}
			if !slices.Contains(found, c.property) {
				t.Errorf("found %q", found)
			}
		})
	}
}
