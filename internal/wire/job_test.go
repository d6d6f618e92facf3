package wire

import "testing"

func TestEnding(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ exitStatus, signal, reason, want string }{
		{"0", "", "", "exit status 0"},
		{"7", "", ReasonCancel, "exit status 7 (cancel)"},
		{"9", "", ReasonAgentStop, "exit status 9 (agent_stop)"},
		{"-1", "SIGKILL", "", "ended by SIGKILL"},
		{"-1", "SIGTERM", ReasonTimedOut, "ended by SIGTERM (timed_out)"},
		{"-1", "SIGTERM", ReasonAgentStop, "ended by SIGTERM (agent_stop)"},
		{"-1", "", ReasonAgentStop, "its end was not seen, because its agent had ended"},
		{"-1", "", ReasonAgentRefused, "not started: the agent refused it; the log has the cause"},
		{"-1", "", ReasonProcessRunError, "not started: the agent could not run its command; the log has the cause"},
		{"-1", "", ReasonCancel, "not started: it was canceled first"},
		{"-1", "", ReasonTimedOut, "not started: its time ran out first"},
		{"-1", "", "of_another_agent", "not started: of_another_agent"},
		{"-1", "", "", "not started: the agent reported no cause"},
	} {
		if got := Ending(row.exitStatus, row.signal, row.reason); got != row.want {
			t.Errorf("%s %s %s: %q, want %q", row.exitStatus, row.signal, row.reason, got, row.want)
		}
	}
}
