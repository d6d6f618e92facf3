package api

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

func jobState(state store.JobState) switchyardv1.JobState {
	switch state {
	case store.JobQueued:
		return switchyardv1.JobState_JOB_STATE_QUEUED
	case store.JobAssigned:
		return switchyardv1.JobState_JOB_STATE_ASSIGNED
	case store.JobAccepted:
		return switchyardv1.JobState_JOB_STATE_ACCEPTED
	case store.JobRunning:
		return switchyardv1.JobState_JOB_STATE_RUNNING
	case store.JobFinished:
		return switchyardv1.JobState_JOB_STATE_FINISHED
	case store.JobCanceled:
		return switchyardv1.JobState_JOB_STATE_CANCELED
	case store.JobLost:
		return switchyardv1.JobState_JOB_STATE_LOST
	}
	return switchyardv1.JobState_JOB_STATE_UNSPECIFIED
}

func jobStatesOf(states []switchyardv1.JobState) ([]store.JobState, error) {
	all := []store.JobState{
		store.JobQueued, store.JobAssigned, store.JobAccepted, store.JobRunning,
		store.JobFinished, store.JobCanceled, store.JobLost,
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
