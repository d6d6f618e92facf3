package fsm

// Row is one line of the table: in a state, on an event, when a guard holds,
// go to a state and do some things. Among the rows of one state and event the
// first whose guard holds is the one taken.
type Row struct {
	From State
	On   EventKind
	When Guard
	To   State
	Do   []Action
}

// Name returns the row's own name, the event with its guard, such as
// "JobFinished [stream up]". It is unique among the rows of one state.
func (r *Row) Name() string {
	if r.When.Name == "" {
		return r.On.String()
	}
	return r.On.String() + " [" + r.When.Name + "]"
}

// table is the machine. Everything that the machine does is a row of it; what
// it knows is in heard, and changes by the event alone, in every state alike.
//
// Each state begins with the events of the stream, then those of pings, those
// of jobs, and requests. A row without actions remembers, and does nothing.
var table = []Row{
	{Initial, Started, acquiring, PollingBusy, do(acquire)},
	{Initial, Started, pollOnly, FallingBack, do(armPollNow)},
	{Initial, Started, otherwise, StreamHealthy, do(openStream, armTrust)},

	// StreamHealthy: no work is in hand, so whatever makes the worker leave
	// makes it leave at once.
	{StreamHealthy, ReceivedResume, retiring, Stopped, do(stop)},
	{StreamHealthy, ReceivedResume, mailboxHasJob, Running, do(startWaiting)},
	{StreamHealthy, ReceivedResume, otherwise, StreamHealthy, nil},
	{StreamHealthy, ReceivedPause, always, StreamHealthy, nil},
	{StreamHealthy, ReceivedDisconnect, always, Stopped, do(stop)},
	{StreamHealthy, ReceivedJob, retiring, Stopped, do(stop)},
	{StreamHealthy, ReceivedJob, all(notPaused, notSeen), Running, do(startOffered)},
	{StreamHealthy, ReceivedJob, all(paused, notSeen), StreamHealthy, do(keepOffer)},
	{StreamHealthy, ReceivedJob, otherwise, StreamHealthy, nil},
	{StreamHealthy, TrustExpired, pollingAllowed, FallingBack, do(armPollNow)},
	{StreamHealthy, TrustExpired, otherwise, FallingBack, nil},
	{StreamHealthy, StreamEnded, always, StreamHealthy, do(armTrust)}, // a planned end is not a loss
	{StreamHealthy, StreamLost, pollingAllowed, FallingBack, do(armPollNow)},
	{StreamHealthy, StreamLost, otherwise, FallingBack, nil},
	{StreamHealthy, StreamRefused, pollingAllowed, FallingBack, do(armPollNow)},
	{StreamHealthy, StreamRefused, otherwise, Stopped, do(failStream)},
	{StreamHealthy, DrainRequested, always, Stopped, do(stop)},
	{StreamHealthy, ForceRequested, always, Stopped, do(stop)},
	{StreamHealthy, SessionRefused, always, Stopped, do(stop)},
	{StreamHealthy, IdleExpired, notPaused, Stopped, do(stop)},
	{StreamHealthy, UptimeExpired, leaving, Stopped, do(stop)},
	{StreamHealthy, UptimeExpired, paused, StreamHealthy, nil}, // leaves on resume

	// Running: the job goes on whatever becomes of the stream; who takes over
	// is settled when the job is over.
	{Running, ReceivedResume, always, Running, nil},
	{Running, ReceivedPause, always, Running, nil},
	{Running, ReceivedDisconnect, always, Running, do(stopAccepting)},
	{Running, ReceivedJob, mayBeStarted, Running, do(keepOffer)},
	{Running, ReceivedJob, otherwise, Running, nil},
	{Running, StreamEnded, always, Running, nil},
	{Running, StreamLost, always, Running, nil},
	{Running, StreamRefused, always, Running, nil},
	{Running, JobFinished, leaving, Stopped, do(stop)},
	{Running, JobFinished, all(retiring, streamTrusted), Stopped, do(stop)}, // leaving is prompt
	{Running, JobFinished, all(retiring, streamOnly), Stopped, do(stop)},
	{Running, JobFinished, all(streamRefused, streamOnly), Stopped, do(failStream)},
	{Running, JobFinished, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Running, JobFinished, streamUp, StreamHealthy, nil},
	{Running, JobFinished, streamUnknown, StreamHealthy, do(armTrust)},
	{Running, JobFinished, pollingAllowed, FallingBack, do(armPollNow)},
	{Running, JobFinished, otherwise, FallingBack, nil},
	{Running, JobRejected, leaving, Stopped, do(stop)},
	{Running, JobRejected, retiring, Stopped, do(stop)}, // by uptime, which asks for no last ping
	{Running, JobRejected, all(streamRefused, streamOnly), Stopped, do(failStream)},
	{Running, JobRejected, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Running, JobRejected, streamUp, StreamHealthy, nil},
	{Running, JobRejected, streamUnknown, StreamHealthy, do(armTrust)},
	{Running, JobRejected, pollingAllowed, FallingBack, do(armPollLater)}, // the next ping would name it again
	{Running, JobRejected, otherwise, FallingBack, nil},
	{Running, DrainRequested, always, Running, do(stopAccepting)},
	{Running, ForceRequested, always, Running, do(cancelJob)},
	{Running, SessionRefused, always, Running, do(stopAccepting)},
	{Running, UptimeExpired, leaving, Running, do(stopAccepting)},
	{Running, UptimeExpired, otherwise, Running, nil},

	// FallingBack: a message of the stream is all it takes to give control
	// back, for no work is in hand.
	{FallingBack, ReceivedResume, retiring, Stopped, do(stop)},
	{FallingBack, ReceivedResume, otherwise, StreamHealthy, do(disarmPoll)},
	{FallingBack, ReceivedPause, always, StreamHealthy, do(disarmPoll)},
	{FallingBack, ReceivedDisconnect, always, Stopped, do(stop)},
	{FallingBack, ReceivedJob, retiring, Stopped, do(stop)},
	{FallingBack, ReceivedJob, notSeen, Running, do(disarmPoll, startOffered)},
	{FallingBack, ReceivedJob, otherwise, StreamHealthy, do(disarmPoll)},
	{FallingBack, StreamLost, always, FallingBack, nil},
	{FallingBack, StreamRefused, streamOnly, Stopped, do(failStream)},
	{FallingBack, StreamRefused, otherwise, FallingBack, nil},
	{FallingBack, PollDue, pollingAllowed, PollingBusy, do(sendPing)},
	{FallingBack, DrainRequested, always, Stopped, do(stop)},
	{FallingBack, ForceRequested, always, Stopped, do(stop)},
	{FallingBack, SessionRefused, always, Stopped, do(stop)},
	{FallingBack, IdleExpired, notPaused, Stopped, do(stop)},
	{FallingBack, UptimeExpired, leaving, Stopped, do(stop)},
	{FallingBack, UptimeExpired, paused, FallingBack, nil},

	// PollingBusy: a ping in flight may hold a job, so the stream waits for its
	// answer as it waits for a job.
	{PollingBusy, ReceivedResume, all(pingInFlight, retiring), Stopped, do(cancelPing, stop)},
	{PollingBusy, ReceivedResume, otherwise, Reclaiming, nil},
	{PollingBusy, ReceivedPause, always, Reclaiming, nil},
	{PollingBusy, ReceivedDisconnect, pingInFlight, Stopped, do(cancelPing, stop)},
	{PollingBusy, ReceivedDisconnect, otherwise, Reclaiming, do(stopAccepting)},
	{PollingBusy, ReceivedJob, all(pingInFlight, retiring), Stopped, do(cancelPing, stop)},
	{PollingBusy, ReceivedJob, mayBeStarted, Reclaiming, do(keepOffer)},
	{PollingBusy, ReceivedJob, otherwise, Reclaiming, nil},
	{PollingBusy, StreamLost, always, PollingBusy, nil},
	{PollingBusy, StreamRefused, always, PollingBusy, nil},
	{PollingBusy, AnsweredIdle, retiring, Stopped, do(stop)},
	{PollingBusy, AnsweredIdle, pingIsOld, FallingBack, do(armPollNow)}, // what it says may be out of date
	{PollingBusy, AnsweredIdle, otherwise, FallingBack, do(armPollLater)},
	{PollingBusy, AnsweredPause, pingIsOld, FallingBack, do(armPollNow)},
	{PollingBusy, AnsweredPause, otherwise, FallingBack, do(armPollLater)},
	{PollingBusy, AnsweredDisconnect, always, Stopped, do(stop)},
	{PollingBusy, AnsweredJob, retiring, Stopped, do(stop)},
	{PollingBusy, AnsweredJob, all(notPaused, notSeen), PollingBusy, do(startOffered)},
	{PollingBusy, AnsweredJob, pingIsOld, FallingBack, do(armPollNow)}, // the next answer names it again, if it still holds
	{PollingBusy, AnsweredJob, otherwise, FallingBack, do(armPollLater)},
	{PollingBusy, PollFailed, retiring, Stopped, do(stop)}, // only a pause survives the last ping
	{PollingBusy, PollFailed, otherwise, FallingBack, do(armPollLater)},
	{PollingBusy, PollRefused, always, Stopped, do(failPing)},
	{PollingBusy, JobFinished, leaving, Stopped, do(stop)},
	{PollingBusy, JobFinished, otherwise, FallingBack, do(armPollNow)},
	{PollingBusy, JobRejected, leaving, Stopped, do(stop)},
	{PollingBusy, JobRejected, retiring, Stopped, do(stop)}, // by uptime, as above
	{PollingBusy, JobRejected, otherwise, FallingBack, do(armPollLater)},
	{PollingBusy, DrainRequested, pingInFlight, Stopped, do(cancelPing, stop)},
	{PollingBusy, DrainRequested, otherwise, PollingBusy, do(stopAccepting)},
	{PollingBusy, ForceRequested, pingInFlight, Stopped, do(cancelPing, stop)},
	{PollingBusy, ForceRequested, otherwise, PollingBusy, do(cancelJob)},
	{PollingBusy, SessionRefused, pingInFlight, Stopped, do(cancelPing, stop)},
	{PollingBusy, SessionRefused, otherwise, PollingBusy, do(stopAccepting)},
	{PollingBusy, UptimeExpired, all(pingInFlight, leaving), Stopped, do(cancelPing, stop)},
	{PollingBusy, UptimeExpired, leaving, PollingBusy, do(stopAccepting)},
	{PollingBusy, UptimeExpired, otherwise, PollingBusy, nil},

	// Reclaiming: the stream's word is newer than the ping's, so of an answer
	// only a job or a disconnect counts.
	{Reclaiming, ReceivedResume, all(pingInFlight, retiring), Stopped, do(cancelPing, stop)},
	{Reclaiming, ReceivedResume, otherwise, Reclaiming, nil},
	{Reclaiming, ReceivedPause, always, Reclaiming, nil},
	{Reclaiming, ReceivedDisconnect, pingInFlight, Stopped, do(cancelPing, stop)},
	{Reclaiming, ReceivedDisconnect, otherwise, Reclaiming, do(stopAccepting)},
	{Reclaiming, ReceivedJob, mayBeStarted, Reclaiming, do(keepOffer)},
	{Reclaiming, ReceivedJob, otherwise, Reclaiming, nil},
	{Reclaiming, StreamEnded, always, PollingBusy, nil},
	{Reclaiming, StreamLost, always, PollingBusy, nil},
	{Reclaiming, StreamRefused, always, PollingBusy, nil},
	{Reclaiming, AnsweredIdle, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, AnsweredIdle, otherwise, StreamHealthy, nil},
	{Reclaiming, AnsweredPause, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, AnsweredPause, otherwise, StreamHealthy, nil},
	{Reclaiming, AnsweredDisconnect, always, Stopped, do(stop)},
	{Reclaiming, AnsweredJob, all(notPaused, notSeen), Reclaiming, do(startOffered)},
	{Reclaiming, AnsweredJob, all(paused, notSeen), StreamHealthy, do(keepOffer)},
	{Reclaiming, AnsweredJob, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, AnsweredJob, otherwise, StreamHealthy, nil},
	{Reclaiming, PollFailed, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, PollFailed, otherwise, StreamHealthy, nil},
	{Reclaiming, PollRefused, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, PollRefused, otherwise, StreamHealthy, nil},
	{Reclaiming, JobFinished, leaving, Stopped, do(stop)},
	{Reclaiming, JobFinished, retiring, Stopped, do(stop)},
	{Reclaiming, JobFinished, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, JobFinished, otherwise, StreamHealthy, nil},
	{Reclaiming, JobRejected, leaving, Stopped, do(stop)},
	{Reclaiming, JobRejected, retiring, Stopped, do(stop)},
	{Reclaiming, JobRejected, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, JobRejected, otherwise, StreamHealthy, nil},
	{Reclaiming, DrainRequested, pingInFlight, Stopped, do(cancelPing, stop)},
	{Reclaiming, DrainRequested, otherwise, Reclaiming, do(stopAccepting)},
	{Reclaiming, ForceRequested, pingInFlight, Stopped, do(cancelPing, stop)},
	{Reclaiming, ForceRequested, otherwise, Reclaiming, do(cancelJob)},
	{Reclaiming, SessionRefused, pingInFlight, Stopped, do(cancelPing, stop)},
	{Reclaiming, SessionRefused, otherwise, Reclaiming, do(stopAccepting)},
	{Reclaiming, UptimeExpired, all(pingInFlight, leaving), Stopped, do(cancelPing, stop)},
	{Reclaiming, UptimeExpired, leaving, Reclaiming, do(stopAccepting)},
	{Reclaiming, UptimeExpired, otherwise, Reclaiming, nil},
}
