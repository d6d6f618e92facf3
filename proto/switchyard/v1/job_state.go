// Package switchyardv1 is switchyard.v1, the API for people and programs: generated
// code, and methods on its types.
package switchyardv1

// Final reports whether a job in this state has ended: its state never changes
// again. A state that this version does not know is not final.
func (s JobState) Final() bool {
	return s == JobState_JOB_STATE_FINISHED || s == JobState_JOB_STATE_CANCELED || s == JobState_JOB_STATE_LOST
}
