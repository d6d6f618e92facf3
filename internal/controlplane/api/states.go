package api

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func jobState(state wire.JobState) switchyardv1.JobState {
	switch state {
	case wire.StateQueued:
		return switchyardv1.JobState_JOB_STATE_QUEUED
	case wire.StateAssigned:
		return switchyardv1.JobState_JOB_STATE_ASSIGNED
	case wire.StateAccepted:
		return switchyardv1.JobState_JOB_STATE_ACCEPTED
	case wire.StateRunning:
		return switchyardv1.JobState_JOB_STATE_RUNNING
	case wire.StateFinished:
		return switchyardv1.JobState_JOB_STATE_FINISHED
	case wire.StateCanceled:
		return switchyardv1.JobState_JOB_STATE_CANCELED
	case wire.StateLost:
		return switchyardv1.JobState_JOB_STATE_LOST
	}
	return switchyardv1.JobState_JOB_STATE_UNSPECIFIED
}

func jobStatesOf(states []switchyardv1.JobState) ([]wire.JobState, error) {
	all := []wire.JobState{
		wire.StateQueued, wire.StateAssigned, wire.StateAccepted, wire.StateRunning,
		wire.StateFinished, wire.StateCanceled, wire.StateLost,
	}
	return statesOf(states, all, jobState)
}

func workerState(state store.WorkerState) switchyardv1.WorkerState {
	switch state {
	case store.WorkerConnected:
		return switchyardv1.WorkerState_WORKER_STATE_CONNECTED
	case store.WorkerDisconnected:
		return switchyardv1.WorkerState_WORKER_STATE_DISCONNECTED
	case store.WorkerLost:
		return switchyardv1.WorkerState_WORKER_STATE_LOST
	}
	return switchyardv1.WorkerState_WORKER_STATE_UNSPECIFIED
}

func workerStatesOf(states []switchyardv1.WorkerState) ([]store.WorkerState, error) {
	all := []store.WorkerState{store.WorkerConnected, store.WorkerDisconnected, store.WorkerLost}
	return statesOf(states, all, workerState)
}

// statesOf finds the stored state of each state asked for.
func statesOf[Asked, Stored comparable](asked []Asked, all []Stored, of func(Stored) Asked) ([]Stored, error) {
	if len(asked) > maxStates {
		return nil, invalid("states", "must be %d at most", maxStates)
	}
	var states []Stored
next:
	for _, state := range asked {
		for _, stored := range all {
			if of(stored) == state {
				states = append(states, stored)
				continue next
			}
		}
		return nil, invalid("states", "has %v, which is none", state)
	}
	return states, nil
}

// maxStates bounds a filter; nobody needs to name a state twice.
const maxStates = 16
