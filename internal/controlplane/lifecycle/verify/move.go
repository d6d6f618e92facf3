package verify

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// act is the kind of a move.
type act uint8

const (
	storeEvent  act = iota // an event that is not a request of an agent
	handle                 // a request reaches the control plane, which answers it
	repeat                 // the same, and the request reaches it once more later
	acquire                // a request to accept reaches it as one to acquire
	lose                   // a message is lost
	deliver                // an answer reaches its agent
	exceed                 // the job has run for longer than its timeout
	beginAccept            // an agent was offered a job, maybe long ago
	sendRequest            // an agent sends the request that it waits for
	giveUp                 // an agent ends a job before its start
	endProcess             // the process of a job ends, and the result is in the spool
	sendResult             // an agent sends a result from its spool
	kill                   // an agent is killed; what it did is in its spool
	killUnsaved            // an agent is killed, and the newest entry of its spool is lost
	restart                // a killed agent starts again with its spool
)

// move is one thing that happens.
type move struct {
	act        act
	agent, job uint8
	message    message
	result     result
	in         input
}

// The environments, in which the world behaves.
const (
	agentsRestart explore.Environments = 1 << iota // killed agents start again
	agentsGone                                     // killed agents are gone for good
	faulty        = explore.Disturbance
	anyGood       = agentsRestart | agentsGone
)

var agentNames = [agentCount]string{"agent 1", "agent 2"}

var jobNames = [jobCount]string{"the job", "the retry"}

// String returns what happens, for people.
func (m *move) String() string {
	who, what := agentNames[m.agent], jobNames[m.job]
	switch m.act {
	case storeEvent:
		return m.in.String() + " for " + what
	case handle:
		return m.message.String() + " is handled"
	case repeat:
		return m.message.String() + " is handled, and is repeated"
	case acquire:
		return m.message.String() + " is handled as one to acquire"
	case lose:
		return m.message.String() + " is lost"
	case deliver:
		return m.message.String() + " arrives"
	case exceed:
		return what + " has run for longer than its timeout"
	case beginAccept:
		return who + " is offered " + what
	case sendRequest:
		return who + " sends a request for " + what
	case giveUp:
		return who + " ends its work on " + what
	case endProcess:
		return fmt.Sprintf("%s: the process of %s has ended: %v", who, what, m.result)
	case sendResult:
		return who + " sends the result of " + what
	case kill:
		return who + " is killed"
	case killUnsaved:
		return who + " is killed, and the newest entry of its spool is lost"
	case restart:
		return who + " starts again"
	}
	return "?"
}

var letterNames = [...]string{
	acceptRequest: "a request to accept", acceptAnswer: "the answer to accept", startRequest: "a request to start",
	startGranted: "the grant of a start", startRefused: "the refusal of a start",
	finishRequest: "a report of a result", finishAnswer: "the answer to a result",
}

// String returns the message in words.
func (m message) String() string {
	text := fmt.Sprintf("%s of %s for %s", letterNames[m.kind()], agentNames[m.agent()], jobNames[m.job()])
	if t := m.token(); t != 0 {
		text += " with token " + t.String()
	}
	if r := m.result(); r != noResult {
		text += ": " + r.String()
	}
	return text
}
