package present

import (
	"fmt"
	"io"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Narrator writes the events of a job for people: its log, byte for byte, to Out,
// and one line for every other event to Notes. It is for one goroutine.
type Narrator struct {
	Out, Notes io.Writer
	// States makes Job write the changes of the job's state. Without it, Job writes only
	// why the job waits.
	States bool

	last    string // the last line about the state
	deleted bool   // it was written that the log is deleted
}

// Job writes a change of the job, and that its log was deleted.
func (n *Narrator) Job(job *switchyardv1.Job) error {
	if deletion := job.GetLogDeletion(); deletion != nil && !n.deleted {
		n.deleted = true
		n.notef("the log of job %s was %s", job.GetId(), LogDeletion(deletion))
	}
	if !n.States && job.GetState() != switchyardv1.JobState_JOB_STATE_QUEUED {
		return nil
	}
	state := describe(job)
	line := "job " + job.GetId() + " " + state
	if state == "" || line == n.last {
		return nil
	}
	n.last = line
	n.notef("%s", line)
	return nil
}

// Log writes a chunk of the log.
func (n *Narrator) Log(chunk *switchyardv1.LogChunk) error {
	if chunk.GetMissing() > 0 {
		n.notef("%d bytes of the log are missing here%s", chunk.GetMissing(), gap(chunk.GetGap()))
	}
	return write(n.Out, chunk.GetData())
}

// gap returns why bytes are missing, as the end of a sentence.
func gap(why switchyardv1.LogGap) string {
	switch why {
	case switchyardv1.LogGap_LOG_GAP_UNDELIVERED:
		return "; the agent could not deliver them"
	case switchyardv1.LogGap_LOG_GAP_NOT_ARRIVED:
		return ", and have not arrived so far"
	case switchyardv1.LogGap_LOG_GAP_NOT_KEPT:
		return "; they are not kept any more"
	case switchyardv1.LogGap_LOG_GAP_NOT_IN_BACKUP:
		return "; they are not in the backup from which the log was restored"
	case switchyardv1.LogGap_LOG_GAP_UNSPECIFIED:
	}
	return ""
}

// Interrupted writes that the control plane was lost.
func (n *Narrator) Interrupted(cause error, until time.Time) {
	n.notef("%v; trying again until %s", cause, until.Local().Format(time.TimeOnly))
}

// Reconnected writes that the control plane is connected again.
func (n *Narrator) Reconnected() {
	n.notef("connected again")
}

// notef writes a line for people. It ignores errors.
func (n *Narrator) notef(format string, args ...any) {
	_, _ = fmt.Fprintf(n.Notes, "switchyard: "+format+"\n", args...)
}

// describe returns the state of a job in a few words. It returns nothing for
// states that a job passes quickly.
func describe(job *switchyardv1.Job) string {
	switch job.GetState() {
	case switchyardv1.JobState_JOB_STATE_QUEUED:
		if job.GetWaitingReason() != "" {
			return "waits: " + Safe(job.GetWaitingReason())
		}
		return ""
	case switchyardv1.JobState_JOB_STATE_ASSIGNED, switchyardv1.JobState_JOB_STATE_ACCEPTED,
		switchyardv1.JobState_JOB_STATE_UNSPECIFIED:
		if job.GetWaitingReason() != "" { // nothing is received from its worker
			return "waits: " + Safe(job.GetWaitingReason())
		}
		return ""
	case switchyardv1.JobState_JOB_STATE_RUNNING:
		if job.GetCancelRequested() || job.GetStopRequested() || job.GetTimedOut() {
			return "is being canceled" + because(job.GetCancelReason())
		}
		return "runs on worker " + Safe(job.GetWorkerName()) + because(job.GetWaitingReason())
	case switchyardv1.JobState_JOB_STATE_FINISHED:
		return finished(job)
	case switchyardv1.JobState_JOB_STATE_CANCELED:
		return "was canceled" + because(job.GetCancelReason())
	case switchyardv1.JobState_JOB_STATE_LOST:
		return "is lost on worker " + Safe(job.GetWorkerName()) + because(job.GetLostReason()) + "; how the job ended is not known"
	default:
		return "is in state " + JobState(job.GetState())
	}
}

func finished(job *switchyardv1.Job) string {
	switch {
	case EndUnseen(job):
		return "ended with the agent of its worker " + Safe(job.GetWorkerName()) + ", and how it ended is not known"
	case job.GetSignalReason() == wire.ReasonAgentStop && job.GetSignal() != "":
		return "was ended by " + Safe(job.GetSignal()) + ", because its agent was stopped"
	case job.GetSignalReason() == wire.ReasonAgentStop:
		return "was ended, with exit status " + Safe(job.GetExitStatus()) + ", because its agent was stopped"
	case job.GetSignal() != "":
		return "was ended by " + Safe(job.GetSignal()) + because(job.GetSignalReason())
	case notStarted(job) != "":
		return "was not started: " + notStarted(job)
	default:
		return "finished with exit status " + Safe(job.GetExitStatus())
	}
}

// notStarted returns why the command of a job never ran, or "".
func notStarted(job *switchyardv1.Job) string {
	if job.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED {
		return ""
	}
	return Safe(wire.NotStarted(job.GetExitStatus(), job.GetSignal(), job.GetSignalReason()))
}

func because(reason string) string {
	if reason == "" {
		return ""
	}
	return ": " + Safe(reason)
}

// JSONLines writes the events of a job for programs: each event as a
// FollowJobResponse, one on each line, to Out. Outages go to Notes.
type JSONLines struct{ Narrator }

// Job writes the job.
func (j *JSONLines) Job(job *switchyardv1.Job) error {
	return JSON(j.Out, &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Job{Job: job}})
}

// Log writes a chunk of the log.
func (j *JSONLines) Log(chunk *switchyardv1.LogChunk) error {
	return JSON(j.Out, &switchyardv1.FollowJobResponse{Event: &switchyardv1.FollowJobResponse_Log{Log: chunk}})
}
