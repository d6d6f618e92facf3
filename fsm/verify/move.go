package verify

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm"
)

// moveKind is one kind of thing that can happen in the world.
type moveKind uint8

const (
	moveStart moveKind = iota

	// The control plane.
	moveAssign     // a job, down the stream if it serves one
	movePutBack    // a job that was not started in time goes back to the queue
	movePause      // the worker
	moveResume     // the worker
	moveDisconnect // the worker
	moveAttach     // it serves a stream: what stands, then what is on offer
	moveAttachJobs // the same by one that leaves a standing resume out if it has offers
	moveAttachEcho // the same by a replica that lags behind, with a job that was started
	moveKeepAlive  // it repeats what stands
	moveEcho       // a replica that lags behind offers a job that was started

	// The ping and the accept.
	moveAnswer     // the control plane answers the ping by what is true now
	moveAnswerJob  // with a job that is on offer
	moveAnswerNew  // with a job that it assigns
	moveAnswerOnly // the same, without a word on the stream
	moveAnswerEcho // by a replica that lags behind, with a job that was started
	moveGrant      // the control plane accepts the worker's accept
	moveDeny       // the worker learns that it may not, or may no longer, start the job
	moveGiveUp     // the worker asks no more
	moveBegin      // the worker learns that it may start the job, and does
	moveOver       // the job has ended, and the control plane knows

	// What the machine is told.
	moveDeliver // the next message of the stream
	moveLose    // the connection, or an attempt to make one
	moveEnd     // as planned
	moveRefuse  // an attempt to open a stream
	moveTrust
	movePoll
	moveAnswered
	movePingFails
	movePingRefused
	moveFinished
	moveRejected
	moveDrain
	moveForce
	moveSession
	moveIdle
	moveUptime
)

// move is one thing that happens: a kind, and the job that it is about, if any.
type move uint16

const kindShift = 8

func makeMove(kind moveKind, arg uint8) move { return move(kind)<<kindShift | move(arg) }

func (m move) kind() moveKind { return moveKind(m >> kindShift) }
func (m move) arg() uint8     { return uint8(m) } //nolint:gosec // the low byte

// tells maps the moves that are one event to that event.
var tells = map[moveKind]fsm.EventKind{
	moveStart: fsm.Started, moveTrust: fsm.TrustExpired, movePoll: fsm.PollDue,
	moveLose: fsm.StreamLost, moveEnd: fsm.StreamEnded, moveRefuse: fsm.StreamRefused,
	movePingFails: fsm.PollFailed, movePingRefused: fsm.PollRefused,
	moveFinished: fsm.JobFinished, moveRejected: fsm.JobRejected,
	moveDrain: fsm.DrainRequested, moveForce: fsm.ForceRequested, moveSession: fsm.SessionRefused,
	moveIdle: fsm.IdleExpired, moveUptime: fsm.UptimeExpired,
}

// happening returns what the machine is told by a move in a world, and whether
// it is told anything.
func (m move) happening(w *world) (happening, bool) {
	switch m.kind() { //nolint:exhaustive // the rest is in tells
	case moveDeliver:
		return messageHappening(w.channel[0]), true
	case moveAnswered:
		return answerHappening(w.ping), true
	}
	kind, told := tells[m.kind()]
	return happening{kind, m.arg()}, told
}

func messageHappening(message uint8) happening {
	switch message {
	case messageResume:
		return happening{kind: fsm.ReceivedResume}
	case messagePause:
		return happening{kind: fsm.ReceivedPause}
	case messageDisconnect:
		return happening{kind: fsm.ReceivedDisconnect}
	}
	return happening{fsm.ReceivedJob, message - messageJob + 1}
}

func answerHappening(p pingState) happening {
	switch p { //nolint:exhaustive // the rest names a job
	case pingIdle:
		return happening{kind: fsm.AnsweredIdle}
	case pingPause:
		return happening{kind: fsm.AnsweredPause}
	case pingDisconnect:
		return happening{kind: fsm.AnsweredDisconnect}
	}
	return happening{fsm.AnsweredJob, uint8(p-pingJob) + 1}
}

// describe says in words what a move that tells the machine nothing does.
func (m move) describe(w *world) string {
	job := fmt.Sprintf("J%d", m.arg())
	switch m.kind() { //nolint:exhaustive // the rest are events, and speak for themselves
	case moveAssign:
		if w.link == linkServed {
			return "the control plane assigns " + job + ", and sends the offer on the stream"
		}
		return "the control plane assigns " + job + ", without a stream to say so"
	case movePutBack:
		return "the control plane puts " + job + " back into its queue, or gives it to another worker"
	case movePause:
		return "the control plane pauses the worker"
	case moveResume:
		return "the control plane resumes the worker"
	case moveDisconnect:
		return "the control plane is done with the worker: disconnect"
	case moveAttach:
		return "the control plane serves the stream: what stands, then what is on offer"
	case moveAttachJobs:
		return "the control plane serves the stream: what is on offer"
	case moveAttachEcho:
		return "a replica of the control plane that lags behind serves the stream, and offers " + job
	case moveKeepAlive:
		return "the control plane sends a keep-alive"
	case moveEcho:
		return "a replica of the control plane that lags behind offers " + job
	case moveAnswer:
		return "the control plane answers the ping"
	case moveAnswerJob:
		return "the control plane answers the ping with " + job
	case moveAnswerNew:
		return "the control plane answers the ping with " + job + ", which it assigns"
	case moveAnswerOnly:
		return "the control plane answers the ping with " + job + ", which it assigns without a word on the stream"
	case moveAnswerEcho:
		return "a replica of the control plane that lags behind answers the ping with " + job
	case moveGrant:
		return "the control plane lets the worker have " + job
	case moveDeny:
		return "the control plane will not have " + job + " started"
	case moveGiveUp:
		return "the worker asks no more for " + job
	case moveBegin:
		return "the worker learns that it may start " + job + ", and does"
	case moveOver:
		return job + " ends"
	}
	return ""
}
