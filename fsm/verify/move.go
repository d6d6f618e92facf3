package verify

import (
	"fmt"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// moveKind is one kind of thing that can happen in the world.
type moveKind uint8

const (
	moveStart moveKind = iota

	// The control plane, and those who use it.
	moveAssign
	moveOther
	moveClone
	moveNotAccepted
	moveNotStarted
	moveSilent
	moveWithdraw
	moveCancel
	moveTimeout
	movePause
	moveResume
	moveDisconnect
	moveStop
	moveLease
	moveSeen
	moveLeave
	moveLeaveLost
	moveAttach
	moveAttachJobs
	moveAttachEcho
	moveKeepAlive
	moveEcho
	moveStall
	moveSay   // any message, from a control plane that lies
	moveReply // any answer

	// The ping.
	moveAnswer
	moveAnswerJob
	moveAnswerNew
	moveAnswerOnly
	moveAnswerEcho

	// The job in hand, and the results in the spool.
	moveGrant
	moveGrantLost
	moveDeny
	moveGiveUp
	moveStartStored
	moveBegin
	moveEndUnstarted
	moveOver
	moveInterrupted
	moveAgentEnds
	moveFinishStored
	moveDropResult
	moveLate
	moveLateLost
	moveKill
	moveKillUnsaved
	moveRestart

	// The events of the machine.
	moveDeliver // the next message of the stream
	moveLose    // the connection, or an attempt to open one
	moveEnd     // the connection, as planned
	moveRefuse  // an attempt to open a stream
	moveTrust
	movePoll
	moveAnswered
	movePingFails
	movePingRefused
	moveFinished
	moveUndelivered
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

// eventOfMove maps the moves that are always the same event to that event.
var eventOfMove = map[moveKind]fsm.EventKind{
	moveStart: fsm.Started, moveTrust: fsm.TrustExpired, movePoll: fsm.PollDue,
	moveLose: fsm.StreamLost, moveEnd: fsm.StreamEnded, moveRefuse: fsm.StreamRefused,
	movePingFails: fsm.PollFailed, movePingRefused: fsm.PollRefused,
	moveFinished: fsm.JobFinished, moveUndelivered: fsm.JobFinished, moveRejected: fsm.JobRejected,
	moveDrain: fsm.DrainRequested, moveForce: fsm.ForceRequested, moveSession: fsm.SessionRefused,
	moveIdle: fsm.IdleExpired, moveUptime: fsm.UptimeExpired,
}

// input returns the machine's input of a move in a world, and reports whether
// there is one.
func (m move) input(w *world) (input, bool) {
	switch m.kind() { //nolint:exhaustive // the rest is in eventOfMove
	case moveDeliver:
		return messageInput(w.channel[0]), true
	case moveSay:
		return messageInput(m.arg()), true
	case moveReply:
		return answerInput(pingState(m.arg())), true
	case moveAnswered:
		return answerInput(w.ping), true
	}
	kind, ok := eventOfMove[m.kind()]
	return input{kind, m.arg()}, ok
}

func messageInput(message uint8) input {
	switch message {
	case messageResume:
		return input{kind: fsm.ReceivedResume}
	case messagePause:
		return input{kind: fsm.ReceivedPause}
	case messageDisconnect:
		return input{kind: fsm.ReceivedDisconnect}
	}
	return input{fsm.ReceivedJob, message - messageJob + 1}
}

func answerInput(p pingState) input {
	switch p { //nolint:exhaustive // the rest names a job
	case pingIdle:
		return input{kind: fsm.AnsweredIdle}
	case pingPause:
		return input{kind: fsm.AnsweredPause}
	case pingDisconnect:
		return input{kind: fsm.AnsweredDisconnect}
	}
	return input{fsm.AnsweredJob, uint8(p-pingJob) + 1}
}

// descriptions are the moves that are not events of the machine, in words; JOB
// stands for the job's ID.
var descriptions = map[moveKind]string{
	moveAssign:      "the control plane assigns JOB, and offers it on the stream if there is one",
	moveOther:       "another worker is assigned JOB, and runs it to its end",
	moveClone:       "a clone of the worker runs JOB to its end",
	moveNotAccepted: "the control plane requeues JOB, which was not accepted in time",
	moveNotStarted:  "the control plane requeues JOB, which was not started in time",
	moveSilent:      "the control plane marks JOB as lost: nothing was reported of it in time",
	moveWithdraw:    "the control plane does with JOB what the worker's state means for it",
	moveCancel:      "JOB is canceled",
	moveTimeout:     "JOB exceeds its timeout",
	movePause:       "an operator pauses the worker",
	moveResume:      "an operator resumes the worker",
	moveDisconnect:  "an operator drains the worker",
	moveStop:        "an operator stops the worker",
	moveLease:       "the worker's lease expires",
	moveSeen:        "the control plane gets a heartbeat of the worker",
	moveLeave:       "the control plane learns that the worker has left",
	moveLeaveLost:   "the worker has left, and its last call is lost",
	moveAttach:      "the control plane serves the stream: the current pause or resume, then what is on offer",
	moveAttachJobs:  "the control plane serves the stream: what is on offer",
	moveAttachEcho:  "a replica of the control plane that lags behind serves the stream, and offers JOB, which was started",
	moveKeepAlive:   "the control plane sends a keep-alive",
	moveStall:       "nothing more arrives over the stream, which stays open",
	moveEcho:        "a replica of the control plane that lags behind offers JOB, which was started",
	moveAnswer:      "the control plane answers the ping",
	moveAnswerJob:   "the control plane answers the ping with JOB, which is on offer",
	moveAnswerNew:   "the control plane answers the ping with JOB, which it assigns",
	moveAnswerOnly:  "the control plane answers the ping with JOB, which it assigns without an offer on the stream",
	moveAnswerEcho:  "a replica of the control plane that lags behind answers the ping with JOB, which was started",

	moveGrant:        "the control plane accepts that the worker has JOB, and the worker gets its token",
	moveGrantLost:    "the control plane accepts that the worker has JOB, and the answer is lost",
	moveDeny:         "the worker learns that it may not start JOB",
	moveGiveUp:       "the worker gives up JOB",
	moveStartStored:  "the control plane stores the start of JOB",
	moveBegin:        "the worker learns that it may start JOB, and does",
	moveEndUnstarted: "the worker does not know whether it may start JOB, and does not start it",
	moveOver:         "the process of JOB ends by itself",
	moveInterrupted:  "the agent ends the process of JOB, because it must",
	moveAgentEnds:    "the agent ends the process of JOB, because the worker leaves",
	moveFinishStored: "the control plane stores the result of JOB",
	moveDropResult:   "the agent drops a result of JOB: its start was not stored",
	moveLate:         "the agent delivers the result of JOB in its spool",
	moveLateLost:     "the agent delivers the result of JOB in its spool, and the answer is lost",
	moveKill:         "the agent is killed",
	moveKillUnsaved:  "the agent is killed, and the newest entry of its spool is lost",
	moveRestart:      "the agent starts again, with another worker",
}

// describe returns in words what a move does that is not an event.
func (m move) describe() string {
	return strings.ReplaceAll(descriptions[m.kind()], "JOB", fmt.Sprintf("J%d", m.arg()))
}
