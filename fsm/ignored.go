package fsm

// Ignored is an event that a state ignores, and why. When the table has rows for
// the pair too, the event is ignored when none of their guards holds.
type Ignored struct {
	From State
	On   EventKind
	Why  string
}

const (
	whyNotStarted = "the machine has not started"
	whyStarted    = "the machine has already started"
	whyStopped    = "the worker has stopped"
	whyNoPing     = "no ping is in flight"
	whyNoJob      = "no job is in hand"
	whyNoTrust    = "the stream is not in control and has sent no message; its next message arms the deadline again"
	whyNotArmed   = "no poll is armed: the stream is in control, or work is in hand"
	whyNoPolling  = "polling is not allowed in stream-only mode"
	whyBusy       = "a job is in hand: the worker is not idle"
	whyNotIdle    = "a job is in hand or the worker is paused: it is not idle"
	whyPaused     = "a paused worker does not count as idle"
)

// ignored and table together have an entry for every pair of a state and an
// event; see TestTotality.
var ignored = append(append([]Ignored{
	{StreamHealthy, Started, whyStarted},
	{StreamHealthy, PollDue, whyNotArmed},
	{StreamHealthy, AnsweredIdle, whyNoPing},
	{StreamHealthy, AnsweredPause, whyNoPing},
	{StreamHealthy, AnsweredDisconnect, whyNoPing},
	{StreamHealthy, AnsweredJob, whyNoPing},
	{StreamHealthy, PollFailed, whyNoPing},
	{StreamHealthy, PollRefused, whyNoPing},
	{StreamHealthy, JobFinished, whyNoJob},
	{StreamHealthy, JobRejected, whyNoJob},
	{StreamHealthy, IdleExpired, whyPaused},

	{Running, Started, whyStarted},
	{Running, PollDue, whyNotArmed},
	{Running, AnsweredIdle, whyNoPing},
	{Running, AnsweredPause, whyNoPing},
	{Running, AnsweredDisconnect, whyNoPing},
	{Running, AnsweredJob, whyNoPing},
	{Running, PollFailed, whyNoPing},
	{Running, PollRefused, whyNoPing},
	{Running, IdleExpired, whyBusy},

	{FallingBack, Started, whyStarted},
	{FallingBack, TrustExpired, whyNoTrust},
	{FallingBack, PollDue, whyNoPolling},
	{FallingBack, AnsweredIdle, whyNoPing},
	{FallingBack, AnsweredPause, whyNoPing},
	{FallingBack, AnsweredDisconnect, whyNoPing},
	{FallingBack, AnsweredJob, whyNoPing},
	{FallingBack, PollFailed, whyNoPing},
	{FallingBack, PollRefused, whyNoPing},
	{FallingBack, JobFinished, whyNoJob},
	{FallingBack, JobRejected, whyNoJob},
	{FallingBack, IdleExpired, whyPaused},

	{PollingBusy, Started, whyStarted},
	{PollingBusy, TrustExpired, whyNoTrust},
	{PollingBusy, PollDue, whyNotArmed},
	{PollingBusy, IdleExpired, whyNotIdle},

	{Reclaiming, Started, whyStarted},
	{Reclaiming, PollDue, whyNotArmed},
	{Reclaiming, IdleExpired, whyNotIdle},
}, ignoreAll(Initial, whyNotStarted)...), ignoreAll(Stopped, whyStopped)...)

// ignoreAll returns entries for every event in a pseudo-state, except the one
// that starts the machine.
func ignoreAll(from State, why string) []Ignored {
	var entries []Ignored
	for _, kind := range EventKinds() {
		if from == Initial && kind == Started {
			continue
		}
		entries = append(entries, Ignored{from, kind, why})
	}
	return entries
}
