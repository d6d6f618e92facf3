package present

import (
	"io"
	"time"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Agents writes a table of workers, as they stand now.
func Agents(w io.Writer, agents []*switchyardv1.Agent, now time.Time) error {
	rows := append(make([][]string, 0, 1+len(agents)), []string{"ID", "NAME", "STATE", "QUEUE", "BY", "JOB", "SEEN", "NOTE"})
	for _, agent := range agents {
		rows = append(rows, []string{
			agent.GetId(), cell(agent.GetName()), AgentStanding(agent), cell(agent.GetQueue()), via(agent),
			cell(agent.GetJobId()), age(now, agent.GetLastSeenAt()), cell(agent.GetPauseReason()),
		})
	}
	return table(w, rows)
}

// AgentStanding is where a worker stands: its state, and whether it is paused or
// on its way out.
func AgentStanding(agent *switchyardv1.Agent) string {
	standing := AgentState(agent.GetState())
	if agent.GetPaused() {
		standing += ",paused"
	}
	if agent.GetStopping() && agent.GetState() == switchyardv1.AgentState_AGENT_STATE_CONNECTED {
		standing += ",stopping"
	}
	return standing
}

// via is how a connected worker is reached.
func via(agent *switchyardv1.Agent) string {
	switch {
	case agent.GetState() != switchyardv1.AgentState_AGENT_STATE_CONNECTED:
		return none
	case agent.GetStreaming():
		return "stream"
	default:
		return "poll"
	}
}
