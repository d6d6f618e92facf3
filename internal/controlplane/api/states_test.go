package api

import (
	"slices"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Every state and outcome of a message but UNSPECIFIED is a stored one, and the
// reverse.
func TestStates(t *testing.T) {
	t.Parallel()
	for _, state := range []wire.JobState{
		wire.StateQueued, wire.StateAssigned, wire.StateAccepted, wire.StateRunning,
		wire.StateFinished, wire.StateCanceled, wire.StateLost,
	} {
		got, err := jobStates([]switchyardv1.JobState{jobState(state)})
		if err != nil || got[0] != state || jobState(state).Final() != state.Final() {
			t.Errorf("%s is %v, which is %v, %v", state, jobState(state), got, err)
		}
	}
	for number := range switchyardv1.JobState_name {
		got, err := jobStates([]switchyardv1.JobState{switchyardv1.JobState(number)})
		if (err != nil) != (number == 0) || err == nil && !got[0].Valid() {
			t.Errorf("job state %d is %v, %v", number, got, err)
		}
	}
	for _, outcome := range lifecycle.Outcomes() {
		got, err := jobOutcomes([]switchyardv1.JobOutcome{jobOutcome(outcome)})
		if err != nil || got[0] != outcome {
			t.Errorf("%s is %v, which is %v, %v", outcome, jobOutcome(outcome), got, err)
		}
	}
	for number := range switchyardv1.JobOutcome_name {
		got, err := jobOutcomes([]switchyardv1.JobOutcome{switchyardv1.JobOutcome(number)})
		if (err != nil) != (number == 0) || err == nil && !slices.Contains(lifecycle.Outcomes(), got[0]) {
			t.Errorf("outcome %d is %v, %v", number, got, err)
		}
	}
	for _, state := range workerstate.States() {
		got, err := workerStates([]switchyardv1.WorkerState{workerState(state)})
		if err != nil || !slices.Contains(got, state) {
			t.Errorf("%s is %v, which is %v, %v", state, workerState(state), got, err)
		}
	}
	for number := range switchyardv1.WorkerState_name {
		if _, err := workerStates([]switchyardv1.WorkerState{switchyardv1.WorkerState(number)}); (err != nil) != (number == 0) {
			t.Errorf("worker state %d: %v", number, err)
		}
	}
}
