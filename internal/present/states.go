package present

import (
	"fmt"
	"strings"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	jobStatePrefix   = "JOB_STATE_"
	agentStatePrefix = "WORKER_STATE_"
)

// JobState is the state's word, such as queued.
func JobState(state switchyardv1.JobState) string {
	return strings.ToLower(strings.TrimPrefix(state.String(), jobStatePrefix))
}

// WorkerState is the state's word, such as connected.
func WorkerState(state switchyardv1.WorkerState) string {
	return strings.ToLower(strings.TrimPrefix(state.String(), agentStatePrefix))
}

// ParseJobState is the state that a word stands for. The error names the words
// that there are.
func ParseJobState(word string) (switchyardv1.JobState, error) {
	state, err := parseState(word, jobStatePrefix, switchyardv1.JobState_name, switchyardv1.JobState_value)
	return switchyardv1.JobState(state), err
}

// ParseWorkerState is the state that a word stands for, as ParseJobState.
func ParseWorkerState(word string) (switchyardv1.WorkerState, error) {
	state, err := parseState(word, agentStatePrefix, switchyardv1.WorkerState_name, switchyardv1.WorkerState_value)
	return switchyardv1.WorkerState(state), err
}

func parseState(word, prefix string, names map[int32]string, values map[string]int32) (int32, error) {
	if state, ok := values[prefix+strings.ToUpper(word)]; ok && state != 0 {
		return state, nil
	}
	var words []string
	for i := int32(1); names[i] != ""; i++ { // 0 is unspecified
		words = append(words, strings.ToLower(strings.TrimPrefix(names[i], prefix)))
	}
	return 0, fmt.Errorf("unknown state %q; the states are %s", word, strings.Join(words, ", "))
}
