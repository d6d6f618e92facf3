package present

import (
	"errors"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	jobStatePrefix    = "JOB_STATE_"
	jobOutcomePrefix  = "JOB_OUTCOME_"
	workerStatePrefix = "WORKER_STATE_"
)

// JobState returns the name of a state, such as queued.
func JobState(state switchyardv1.JobState) string {
	return strings.ToLower(strings.TrimPrefix(state.String(), jobStatePrefix))
}

// JobOutcome returns the name of an outcome, such as timed-out; it is empty for a job
// that has not ended.
func JobOutcome(outcome switchyardv1.JobOutcome) string {
	if outcome == switchyardv1.JobOutcome_JOB_OUTCOME_UNSPECIFIED {
		return ""
	}
	return word(outcome.String(), jobOutcomePrefix)
}

// word returns the name of a value without its prefix, as people type it.
func word(name, prefix string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, prefix), "_", "-"))
}

// enumPrefix returns what the names of the values of an enumeration begin with, such as
// JOB_STATE_: the first one is always unspecified.
func enumPrefix(enum protoreflect.EnumDescriptor) string {
	return strings.TrimSuffix(string(enum.Values().Get(0).Name()), "UNSPECIFIED")
}

// WorkerState returns the name of a state, such as connected.
func WorkerState(state switchyardv1.WorkerState) string {
	return strings.ToLower(strings.TrimPrefix(state.String(), workerStatePrefix))
}

// ParseJobState returns the state with that name. The error lists the names.
func ParseJobState(word string) (switchyardv1.JobState, error) {
	state, err := parse(word, jobStatePrefix, switchyardv1.JobState_name, switchyardv1.JobState_value)
	return switchyardv1.JobState(state), err
}

// ParseWorkerState returns the state with that name. The error lists the names.
func ParseWorkerState(word string) (switchyardv1.WorkerState, error) {
	state, err := parse(word, workerStatePrefix, switchyardv1.WorkerState_name, switchyardv1.WorkerState_value)
	return switchyardv1.WorkerState(state), err
}

// ParseJobOutcome returns the outcome with that name. The error lists the names.
func ParseJobOutcome(word string) (switchyardv1.JobOutcome, error) {
	outcome, err := parse(word, jobOutcomePrefix, switchyardv1.JobOutcome_name, switchyardv1.JobOutcome_value)
	return switchyardv1.JobOutcome(outcome), err
}

func parse(text, prefix string, names map[int32]string, values map[string]int32) (int32, error) {
	if value, ok := values[prefix+strings.ToUpper(strings.ReplaceAll(text, "-", "_"))]; ok && value != 0 {
		return value, nil
	}
	return 0, errors.New("must be one of " + strings.Join(wordsOf(prefix, names), ", "))
}

// wordsOf returns the names of the values of an enumeration.
func wordsOf(prefix string, names map[int32]string) (words []string) {
	for i := int32(1); names[i] != ""; i++ { // 0 is unspecified
		words = append(words, word(names[i], prefix))
	}
	return words
}

// JobStates returns the names of all states of a job.
func JobStates() []string { return wordsOf(jobStatePrefix, switchyardv1.JobState_name) }

// JobOutcomes returns the names of all outcomes of a job.
func JobOutcomes() []string { return wordsOf(jobOutcomePrefix, switchyardv1.JobOutcome_name) }

// WorkerStates returns the names of all states of a worker.
func WorkerStates() []string { return wordsOf(workerStatePrefix, switchyardv1.WorkerState_name) }

// Outcome returns a job's state in one or two words and, after its end, how it
// ended.
func Outcome(job *switchyardv1.Job) string {
	state := JobState(job.GetState())
	if job.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED {
		switch {
		case job.GetOutcome() == switchyardv1.JobOutcome_JOB_OUTCOME_TIMED_OUT:
			return state + ",timed-out"
		case job.GetState().Final():
			return state
		case job.GetCancelRequested(), job.GetStopRequested():
			return state + ",canceling"
		case job.GetTimedOut():
			return state + ",timing-out"
		}
		return state
	}
	switch {
	case EndUnseen(job):
		return state + ",end-unseen"
	case job.GetSignalReason() == wire.ReasonAgentStop:
		return state + ",agent-stopped"
	case job.GetSignal() != "":
		return state + "," + Safe(job.GetSignal())
	case notStarted(job) != "":
		return state + ",never-ran"
	default:
		return state + "," + Safe(job.GetExitStatus())
	}
}

// EndUnseen reports whether it is unknown how a job ended, because its agent ended
// first. The next process of the agent has reported the job.
func EndUnseen(job *switchyardv1.Job) bool {
	return wire.EndUnseen(job.GetExitStatus(), job.GetSignal(), job.GetSignalReason())
}

// WorkerSummary returns the state of a worker, and whether it is paused or
// stopping.
func WorkerSummary(worker *switchyardv1.Worker) string {
	summary := WorkerState(worker.GetState())
	if worker.GetRevoked() {
		summary += ",revoked"
	}
	if worker.GetPaused() {
		summary += ",paused"
	}
	if worker.GetStopping() && worker.GetState() == switchyardv1.WorkerState_WORKER_STATE_CONNECTED {
		summary += ",stopping"
	}
	return summary
}
