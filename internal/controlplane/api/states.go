package api

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// maxStates bounds the number of states in a filter.
const maxStates = 16

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

// statesOf returns the stored states for the requested ones.
func statesOf[Message, Stored comparable](requested []Message, all []Stored, messageOf func(Stored) Message) ([]Stored, error) {
	if len(requested) > maxStates {
		return nil, invalid("states", "must have at most %d elements", maxStates)
	}
	var states []Stored
next:
	for _, state := range requested {
		for _, stored := range all {
			if messageOf(stored) == state {
				states = append(states, stored)
				continue next
			}
		}
		return nil, invalid("states", "has unknown state %v", state)
	}
	return states, nil
}
