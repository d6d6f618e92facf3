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

	// The control plane.
	moveAssign
	moveRequeue
	movePause
	moveResume
	moveDisconnect
	moveAttach
	moveAttachJobs
	moveAttachEcho
	moveKeepAlive
	moveEcho
	moveStall
	moveSay   // any message, from a control plane that lies
	moveReply // any answer

	// The ping and the accept.
	moveAnswer
	moveAnswerJob
	moveAnswerNew
	moveAnswerOnly
	moveAnswerEcho
	moveGrant
	moveDeny
	moveGiveUp
	moveBegin
	moveOver

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
	moveFinished: fsm.JobFinished, moveRejected: fsm.JobRejected,
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
	moveAssign:     "the control plane assigns JOB, and offers it on the stream if there is one",
	moveRequeue:    "the control plane requeues JOB, or assigns it to another worker",
	movePause:      "the control plane pauses the worker",
	moveResume:     "the control plane resumes the worker",
	moveDisconnect: "the control plane disconnects the worker",
	moveAttach:     "the control plane serves the stream: the current pause or resume, then what is on offer",
	moveAttachJobs: "the control plane serves the stream: what is on offer",
	moveAttachEcho: "a replica of the control plane that lags behind serves the stream, and offers JOB, which was started",
	moveKeepAlive:  "the control plane sends a keep-alive",
	moveStall:      "nothing more arrives over the stream, which stays open",
	moveEcho:       "a replica of the control plane that lags behind offers JOB, which was started",
	moveAnswer:     "the control plane answers the ping",
	moveAnswerJob:  "the control plane answers the ping with JOB, which is on offer",
	moveAnswerNew:  "the control plane answers the ping with JOB, which it assigns",
	moveAnswerOnly: "the control plane answers the ping with JOB, which it assigns without an offer on the stream",
	moveAnswerEcho: "a replica of the control plane that lags behind answers the ping with JOB, which was started",
	moveGrant:      "the control plane accepts that the worker has JOB",
	moveDeny:       "the worker learns that it may not start JOB",
	moveGiveUp:     "the worker stops retrying the accept of JOB",
	moveBegin:      "the worker learns that it may start JOB, and does",
	moveOver:       "JOB ends, and the control plane knows",
}

// describe returns in words what a move does that is not an event.
func (m move) describe() string {
	return strings.ReplaceAll(descriptions[m.kind()], "JOB", fmt.Sprintf("J%d", m.arg()))
}
