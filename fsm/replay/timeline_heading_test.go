package replay

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// TestHeading checks that the two texts on the line of a worker fit beside each other.
func TestHeading(t *testing.T) {
	t.Parallel()
	var busy Summary
	for _, s := range drawnStates() {
		busy.States = append(busy.States, StateTime{State: s, Time: Seconds(11*time.Hour + 11*time.Minute), Share: 0.99})
	}
	idle := Summary{States: []StateTime{{State: fsm.StreamHealthy, Time: Seconds(time.Minute), Share: 1}}}
	long := strings.Repeat("machine.", 10) + "worker-7"
	rows := []struct {
		name   string
		worker WorkerTimeline
		want   string // the name in the picture
		ending string // its beginning
	}{
		{"short", WorkerTimeline{Worker: "w-1", Summary: idle}, "w-1", "had not left · StreamHealthy"},
		{"a long name", WorkerTimeline{Worker: long, Summary: idle}, "machine.machine.machin…hine.machine.worker-7", "had not left · StreamHealthy"},
		{"a long name, killed", WorkerTimeline{Worker: long, Summary: busy, Killed: true}, "machine.mach…ne.worker-7", "killed · StreamHealthy"},
		{"a short name, killed", WorkerTimeline{Worker: "w-1", Summary: busy, Killed: true}, "w-1", "killed · StreamHealthy"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			name, ending := row.worker.heading()
			if name != row.want || !strings.HasPrefix(ending, row.ending) {
				t.Errorf("got %q and %q", name, ending)
			}
			if both := float64(len([]rune(name)))*nameWidth + width(ending); both > svgWidth-2*margin {
				t.Errorf("%v wide: %q and %q", both, name, ending)
			}
		})
	}
}
