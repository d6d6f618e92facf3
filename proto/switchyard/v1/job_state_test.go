package switchyardv1

import (
	"slices"
	"testing"
)

func TestJobStateFinal(t *testing.T) {
	t.Parallel()
	final := []string{"JOB_STATE_CANCELED", "JOB_STATE_FINISHED", "JOB_STATE_LOST"}
	for number, name := range JobState_name {
		if got := JobState(number).Final(); got != slices.Contains(final, name) {
			t.Errorf("%s: Final() = %v", name, got)
		}
	}
	if JobState(1000).Final() {
		t.Error("an unknown state is final")
	}
}
