package present

import (
	"fmt"
	"io"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Narrator writes what happens to a job for a person: its log, byte for byte, to
// Out, and everything else to Notes, one line a change. It is for one goroutine.
type Narrator struct {
	Out, Notes io.Writer
	// States has the job's changes of state told, and why it waits.
	States bool

	last string
}

// Job tells of a change of the job.
func (n *Narrator) Job(job *switchyardv1.Job) error {
	if !n.States {
		return nil
	}
	where := standing(job)
	line := "job " + job.GetId() + " " + where
	if where == "" || line == n.last {
		return nil
	}
	n.last = line
	n.notef("%s", line)
	return nil
}

// Log writes a piece of the log.
func (n *Narrator) Log(piece *switchyardv1.LogChunk) error {
	if piece.GetMissing() > 0 {
		n.notef("%d bytes of the log are missing here; the agent could not deliver them", piece.GetMissing())
	}
	return write(n.Out, piece.GetData())
}

// Interrupted tells that the control plane was lost.
func (n *Narrator) Interrupted(cause error, until time.Time) {
	n.notef("%v; trying again until %s", cause, until.Local().Format(time.TimeOnly))
}

// Reconnected tells that the control plane was found again.
func (n *Narrator) Reconnected() {
	n.notef("connected again")
}

// notef writes a line for people. There is nobody to tell when that fails.
func (n *Narrator) notef(format string, args ...any) {
	_, _ = fmt.Fprintf(n.Notes, "switchyard: "+format+"\n", args...)
}

// standing is where a job stands, in a few words; or none, where it passes
// through a state too quickly for anybody to care.
func standing(job *switchyardv1.Job) string {
	switch job.GetState() {
	case switchyardv1.JobState_JOB_STATE_QUEUED:
		if job.GetWaitingReason() != "" {
			return "waits: " + Safe(job.GetWaitingReason())
		}
		return ""
	case switchyardv1.JobState_JOB_STATE_ASSIGNED, switchyardv1.JobState_JOB_STATE_ACCEPTED,
		switchyardv1.JobState_JOB_STATE_UNSPECIFIED:
		return ""
	case switchyardv1.JobState_JOB_STATE_RUNNING:
		if job.GetCancelRequested() {
			return "is being canceled" + because(job.GetCancelReason())
		}
		return "runs on agent " + Safe(job.GetWorkerName())
	case switchyardv1.JobState_JOB_STATE_FINISHED:
		return finished(job)
	case switchyardv1.JobState_JOB_STATE_CANCELED:
		return "was canceled" + because(job.GetCancelReason())
	case switchyardv1.JobState_JOB_STATE_LOST:
		return "is lost: its agent " + Safe(job.GetWorkerName()) + " fell silent, and how it ended is not known"
	default:
		return "is in state " + JobState(job.GetState())
	}
}

func finished(job *switchyardv1.Job) string {
	switch {
	case job.GetSignal() != "":
		return "was ended by " + Safe(job.GetSignal()) + because(job.GetSignalReason())
	case EndedWithAgent(job):
		return "ended with its agent " + Safe(job.GetWorkerName()) + ", and how it ended is not known"
	case job.GetExitStatus() == neverRan:
		return "never ran" + because(job.GetSignalReason())
	default:
		return "finished with exit status " + Safe(job.GetExitStatus())
	}
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + Safe(reason)
}

// JSONLines writes what happens to a job for a program: each event as the
// protocol's FollowJobResponse, one a line, to Out. Outages are told on Notes.
type JSONLines struct{ Narrator }

// Job writes the job as it stands.
func (j *JSONLines) Job(job *switchyardv1.Job) error {
	return JSON(j.Out, &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Job{Job: job}})
}

// Log writes a piece of the log.
func (j *JSONLines) Log(piece *switchyardv1.LogChunk) error {
	return JSON(j.Out, &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Log{Log: piece}})
}
