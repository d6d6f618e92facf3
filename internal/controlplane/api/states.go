package api

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// States and outcomes of jobs have the same names in the store and in messages,
// apart from the case, the hyphens and these prefixes: queued is JOB_STATE_QUEUED.
// TestStates checks this.
const (
	jobStatePrefix   = "JOB_STATE_"
	jobOutcomePrefix = "JOB_OUTCOME_"
)

// maxStates bounds the number of states in a filter.
const maxStates = 16

func jobState(state wire.JobState) switchyardv1.JobState {
	return switchyardv1.JobState(switchyardv1.JobState_value[messageName(jobStatePrefix, state)])
}

func jobOutcome(outcome lifecycle.Outcome) switchyardv1.JobOutcome {
	return switchyardv1.JobOutcome(switchyardv1.JobOutcome_value[messageName(jobOutcomePrefix, outcome)])
}

func messageName[Stored ~string](prefix string, stored Stored) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(string(stored), "-", "_"))
}

// jobStates returns the stored states for those of a request.
func jobStates(requested []switchyardv1.JobState) ([]wire.JobState, error) {
	return stored[wire.JobState](requested, "states", jobStatePrefix)
}

// jobOutcomes returns the stored outcomes for those of a request.
func jobOutcomes(requested []switchyardv1.JobOutcome) ([]lifecycle.Outcome, error) {
	return stored[lifecycle.Outcome](requested, "outcomes", jobOutcomePrefix)
}

// stored returns the stored values for those of a field of a request. It returns an
// error for one that is unspecified or unknown.
func stored[Stored ~string, Message fmt.Stringer](requested []Message, field, prefix string) ([]Stored, error) {
	if len(requested) > maxStates {
		return nil, invalid(field, "must have at most %d elements", maxStates)
	}
	var values []Stored
	for _, value := range requested {
		name, known := strings.CutPrefix(value.String(), prefix)
		if !known || name == "UNSPECIFIED" {
			return nil, invalid(field, "has unknown %s %v", strings.TrimSuffix(field, "s"), value)
		}
		values = append(values, Stored(strings.ToLower(strings.ReplaceAll(name, "_", "-"))))
	}
	return values, nil
}

// workerState returns whether a worker is there, which is what messages call its
// state. That it is paused or stopping are fields of their own.
func workerState(state workerstate.State) switchyardv1.WorkerState {
	switch {
	case state.Connected():
		return switchyardv1.WorkerState_WORKER_STATE_CONNECTED
	case state == workerstate.Left:
		return switchyardv1.WorkerState_WORKER_STATE_DISCONNECTED
	case state == workerstate.Lost:
		return switchyardv1.WorkerState_WORKER_STATE_LOST
	}
	return switchyardv1.WorkerState_WORKER_STATE_UNSPECIFIED
}

// workerStates returns the stored states for those of a request. It returns an
// error for a state that is unspecified or unknown.
func workerStates(requested []switchyardv1.WorkerState) ([]workerstate.State, error) {
	if len(requested) > maxStates {
		return nil, invalid("states", "must have at most %d elements", maxStates)
	}
	var states []workerstate.State
	for _, state := range requested {
		switch state {
		case switchyardv1.WorkerState_WORKER_STATE_CONNECTED:
			states = append(states, schedule.ConnectedStates()...)
		case switchyardv1.WorkerState_WORKER_STATE_DISCONNECTED:
			states = append(states, workerstate.Left)
		case switchyardv1.WorkerState_WORKER_STATE_LOST:
			states = append(states, workerstate.Lost)
		case switchyardv1.WorkerState_WORKER_STATE_UNSPECIFIED:
			return nil, invalid("states", "has unknown state %v", state)
		default:
			return nil, invalid("states", "has unknown state %v", state)
		}
	}
	return states, nil
}
