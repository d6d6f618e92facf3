package fsm

// Ignored is an event that a state does not answer, and why not. Where the
// table has rows for the pair too, it is ignored when no guard of theirs holds.
type Ignored struct {
	From State
	On   EventKind
	Why  string
}

const (
	whyNotStarted   = "the machine was not started"
	whyStarted      = "the machine was started already"
	whyStopped      = "the worker has left: nothing after that matters"
	whyNoPing       = "no ping is in flight while the stream is in control or a ping is yet to be due"
	whyNoJob        = "no job is in hand"
	whyNoTrust      = "the first-message deadline is armed in StreamHealthy only; the stream is judged anew when it takes control"
	whyNotSpoken    = "a connection that has spoken, and can come to a planned end, has ended this state or is over"
	whyNotArmed     = "no poll is armed: the stream is in control, or work is in hand"
	whyNoPolling    = "polling is not allowed in stream-only"
	whyBusy         = "work is in hand: the worker is not idle"
	whyPauseNotIdle = "a pause is no idleness"
)

// ignored lists, with table, every pair of a state and an event that a machine
// can meet; see TestTotality.
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
	{StreamHealthy, IdleExpired, whyPauseNotIdle},

	{Running, Started, whyStarted},
	{Running, TrustExpired, whyNoTrust},
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
	{FallingBack, StreamEnded, whyNotSpoken},
	{FallingBack, PollDue, whyNoPolling},
	{FallingBack, AnsweredIdle, whyNoPing},
	{FallingBack, AnsweredPause, whyNoPing},
	{FallingBack, AnsweredDisconnect, whyNoPing},
	{FallingBack, AnsweredJob, whyNoPing},
	{FallingBack, PollFailed, whyNoPing},
	{FallingBack, PollRefused, whyNoPing},
	{FallingBack, JobFinished, whyNoJob},
	{FallingBack, JobRejected, whyNoJob},
	{FallingBack, IdleExpired, whyPauseNotIdle},

	{PollingBusy, Started, whyStarted},
	{PollingBusy, TrustExpired, whyNoTrust},
	{PollingBusy, StreamEnded, whyNotSpoken},
	{PollingBusy, PollDue, whyNotArmed},
	{PollingBusy, IdleExpired, whyBusy},

	{Reclaiming, Started, whyStarted},
	{Reclaiming, TrustExpired, whyNoTrust},
	{Reclaiming, PollDue, whyNotArmed},
	{Reclaiming, IdleExpired, whyBusy},
}, ignoreAll(Initial, whyNotStarted)...), ignoreAll(Stopped, whyStopped)...)

// ignoreAll ignores every event in a pseudo-state, but the one that begins.
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
