package api

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// States have the same names in the store and in messages, apart from the case
// and these prefixes: queued is JOB_STATE_QUEUED. TestStates checks this.
const (
	jobStatePrefix    = "JOB_STATE_"
	workerStatePrefix = "WORKER_STATE_"
)

// maxStates bounds the number of states in a filter.
const maxStates = 16

func jobState(state wire.JobState) switchyardv1.JobState {
	return switchyardv1.JobState(switchyardv1.JobState_value[jobStatePrefix+strings.ToUpper(string(state))])
}

func workerState(state store.WorkerState) switchyardv1.WorkerState {
	return switchyardv1.WorkerState(switchyardv1.WorkerState_value[workerStatePrefix+strings.ToUpper(string(state))])
}

// storedStates returns the stored states for the states of a request. It returns
// an error for a state that is unspecified or unknown.
func storedStates[Stored ~string, Message fmt.Stringer](requested []Message, prefix string) ([]Stored, error) {
	if len(requested) > maxStates {
		return nil, invalid("states", "must have at most %d elements", maxStates)
	}
	var states []Stored
	for _, state := range requested {
		name, known := strings.CutPrefix(state.String(), prefix)
		if !known || name == "UNSPECIFIED" {
			return nil, invalid("states", "has unknown state %v", state)
		}
		states = append(states, Stored(strings.ToLower(name)))
	}
	return states, nil
}
