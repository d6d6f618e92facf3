package api

import (
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Every state of a message but UNSPECIFIED is a stored state, and the reverse.
func TestStates(t *testing.T) {
	t.Parallel()
	for _, state := range []wire.JobState{
		wire.StateQueued, wire.StateAssigned, wire.StateAccepted, wire.StateRunning,
		wire.StateFinished, wire.StateCanceled, wire.StateLost,
	} {
		got, err := storedStates[wire.JobState]([]switchyardv1.JobState{jobState(state)}, jobStatePrefix)
		if err != nil || got[0] != state || jobState(state).Final() != state.Final() {
			t.Errorf("%s is %v, which is %v, %v", state, jobState(state), got, err)
		}
	}
	for number := range switchyardv1.JobState_name {
		got, err := storedStates[wire.JobState]([]switchyardv1.JobState{switchyardv1.JobState(number)}, jobStatePrefix)
		if (err != nil) != (number == 0) || err == nil && !got[0].Valid() {
			t.Errorf("job state %d is %v, %v", number, got, err)
		}
	}
	workers := map[store.WorkerState]bool{store.WorkerConnected: true, store.WorkerDisconnected: true, store.WorkerLost: true}
	for number := range switchyardv1.WorkerState_name {
		message := switchyardv1.WorkerState(number)
		got, err := storedStates[store.WorkerState]([]switchyardv1.WorkerState{message}, workerStatePrefix)
		if (err != nil) != (number == 0) || err == nil && (!workers[got[0]] || workerState(got[0]) != message) {
			t.Errorf("worker state %v is %v, %v", message, got, err)
		}
	}
}
