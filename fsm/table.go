package fsm

// Row is one line of the table: in a state, on an event, when a guard holds,
// go to a state and do some things. Of the rows of one state and event, the
// first whose guard holds is taken.
type Row struct {
	From State
	On   EventKind
	When Guard
	To   State
	Do   []Action
}

// Name returns the row's name, the event with its guard, such as
// "JobFinished [stream up]". It is unique among the rows of one state.
func (r *Row) Name() string {
	if r.When.Name == "" {
		return r.On.String()
	}
	return r.On.String() + " [" + r.When.Name + "]"
}

// table is the machine. What the machine does is in its rows. What the machine
// knows changes by the event alone, in every state alike (see applyEvent), and
// by the actions of a row.
//
// Each state begins with the events of the stream, then those of pings, those
// of jobs, and requests. A row that stays in its state, without actions, only
// records the event in the facts.
var table = []Row{
	{Initial, Started, acquiring, PollingBusy, do(acquire)},
	{Initial, Started, pollOnly, FallingBack, do(armPollNow)},
	{Initial, Started, otherwise, StreamHealthy, do(openStream, armTrust)},

	// StreamHealthy: no work is in hand, so a worker that must leave does so at
	// once.
	{StreamHealthy, ReceivedResume, retiring, Stopped, do(leave)},
	{StreamHealthy, ReceivedResume, mailboxHasJob, Running, do(startWaiting)},
	{StreamHealthy, ReceivedResume, otherwise, StreamHealthy, nil},
	{StreamHealthy, ReceivedPause, always, StreamHealthy, nil},
	{StreamHealthy, ReceivedDisconnect, always, Stopped, do(leave)},
	{StreamHealthy, ReceivedJob, retiring, Stopped, do(leave)},
	{StreamHealthy, ReceivedJob, all(notPaused, notSeen), Running, do(startOffered)},
	{StreamHealthy, ReceivedJob, all(paused, notSeen), StreamHealthy, do(keepOffer)},
	{StreamHealthy, ReceivedJob, otherwise, StreamHealthy, nil},
	{StreamHealthy, TrustExpired, pollingAllowed, FallingBack, do(armPollNow)},
	{StreamHealthy, TrustExpired, otherwise, FallingBack, nil},
	{StreamHealthy, StreamEnded, always, StreamHealthy, do(armTrust)}, // a planned end is not a loss
	{StreamHealthy, StreamLost, pollingAllowed, FallingBack, do(armPollNow)},
	{StreamHealthy, StreamLost, otherwise, FallingBack, nil},
	{StreamHealthy, StreamRefused, pollingAllowed, FallingBack, do(armPollNow)},
	{StreamHealthy, StreamRefused, otherwise, Stopped, do(leaveFor(StreamWasRefused))},
	{StreamHealthy, DrainRequested, always, Stopped, do(leave)},
	{StreamHealthy, ForceRequested, always, Stopped, do(leave)},
	{StreamHealthy, SessionRefused, always, Stopped, do(leave)},
	{StreamHealthy, IdleExpired, notPaused, Stopped, do(leaveFor(IdleTooLong))},
	{StreamHealthy, UptimeExpired, leaving, Stopped, do(leave)},
	{StreamHealthy, UptimeExpired, paused, StreamHealthy, nil}, // leaves when resumed

	// Running: the job continues whatever happens to the stream. The next owner
	// is chosen when the job ends.
	{Running, ReceivedResume, always, Running, nil},
	{Running, ReceivedPause, always, Running, nil},
	{Running, ReceivedDisconnect, always, Running, do(stopAccepting)},
	{Running, ReceivedJob, mayBeStarted, Running, do(keepOffer)},
	{Running, ReceivedJob, otherwise, Running, nil},
	{Running, TrustExpired, always, Running, nil},
	{Running, StreamEnded, always, Running, nil},
	{Running, StreamLost, always, Running, nil},
	{Running, StreamRefused, always, Running, nil},
	{Running, JobFinished, leaving, Stopped, do(leave)},
	{Running, JobFinished, all(retiring, streamTrusted), Stopped, do(leave)}, // without waiting for a message
	{Running, JobFinished, all(retiring, streamOnly), Stopped, do(leave)},
	{Running, JobFinished, retiring, FallingBack, do(armPollNow)}, // its last ping
	{Running, JobFinished, all(streamRefused, streamOnly), Stopped, do(leaveFor(StreamWasRefused))},
	{Running, JobFinished, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Running, JobFinished, streamUp, StreamHealthy, nil},
	{Running, JobFinished, streamUnknown, StreamHealthy, do(armTrust)},
	{Running, JobFinished, pollingAllowed, FallingBack, do(armPollNow)},
	{Running, JobFinished, otherwise, FallingBack, nil},
	{Running, JobRejected, leaving, Stopped, do(forget, leave)},
	{Running, JobRejected, retiring, Stopped, do(forget, leave)}, // by uptime, which needs no last ping
	{Running, JobRejected, all(streamRefused, streamOnly), Stopped, do(forget, leaveFor(StreamWasRefused))},
	{Running, JobRejected, all(notPaused, mailboxHasJob), Running, do(forget, startWaiting)},
	{Running, JobRejected, streamUp, StreamHealthy, do(forget)},
	{Running, JobRejected, streamUnknown, StreamHealthy, do(forget, armTrust)},
	{Running, JobRejected, pollingAllowed, FallingBack, do(forget, armPollLater)}, // a ping at once would offer it again
	{Running, JobRejected, otherwise, FallingBack, do(forget)},
	{Running, DrainRequested, always, Running, do(stopAccepting)},
	{Running, ForceRequested, always, Running, do(cancelJob)},
	{Running, SessionRefused, always, Running, do(stopAccepting)},
	{Running, UptimeExpired, leaving, Running, do(stopAccepting)},
	{Running, UptimeExpired, otherwise, Running, nil},

	// FallingBack: no work is in hand, so one message returns control to the
	// stream.
	{FallingBack, ReceivedResume, retiring, Stopped, do(leave)},
	{FallingBack, ReceivedResume, mailboxHasJob, Running, do(disarmPoll, startWaiting)},
	{FallingBack, ReceivedResume, otherwise, StreamHealthy, do(disarmPoll)},
	{FallingBack, ReceivedPause, always, StreamHealthy, do(disarmPoll)},
	{FallingBack, ReceivedDisconnect, always, Stopped, do(leave)},
	{FallingBack, ReceivedJob, retiring, Stopped, do(leave)},
	{FallingBack, ReceivedJob, all(notPaused, notSeen), Running, do(disarmPoll, startOffered)},
	{FallingBack, ReceivedJob, all(paused, notSeen), StreamHealthy, do(disarmPoll, keepOffer)},
	{FallingBack, ReceivedJob, all(notPaused, mailboxHasJob), Running, do(disarmPoll, startWaiting)},
	{FallingBack, ReceivedJob, otherwise, StreamHealthy, do(disarmPoll)},
	{FallingBack, StreamEnded, always, FallingBack, nil},
	{FallingBack, StreamLost, always, FallingBack, nil},
	{FallingBack, StreamRefused, streamOnly, Stopped, do(leaveFor(StreamWasRefused))},
	{FallingBack, StreamRefused, otherwise, FallingBack, nil},
	{FallingBack, PollDue, pollingAllowed, PollingBusy, do(sendPing)},
	{FallingBack, DrainRequested, always, Stopped, do(leave)},
	{FallingBack, ForceRequested, always, Stopped, do(leave)},
	{FallingBack, SessionRefused, always, Stopped, do(leave)},
	{FallingBack, IdleExpired, notPaused, Stopped, do(leaveFor(IdleTooLong))},
	{FallingBack, UptimeExpired, leaving, Stopped, do(leave)},
	{FallingBack, UptimeExpired, paused, FallingBack, nil},

	// PollingBusy: the answer to a ping may name a job, so the stream waits for
	// the answer as it waits for the end of a job.
	{PollingBusy, ReceivedResume, all(pingInFlight, retiring), Stopped, do(cancelPing, leave)},
	{PollingBusy, ReceivedResume, otherwise, Reclaiming, nil},
	{PollingBusy, ReceivedPause, always, Reclaiming, nil},
	{PollingBusy, ReceivedDisconnect, pingInFlight, Stopped, do(cancelPing, leave)},
	{PollingBusy, ReceivedDisconnect, otherwise, Reclaiming, do(stopAccepting)},
	{PollingBusy, ReceivedJob, all(pingInFlight, retiring), Stopped, do(cancelPing, leave)},
	{PollingBusy, ReceivedJob, mayBeStarted, Reclaiming, do(keepOffer)},
	{PollingBusy, ReceivedJob, otherwise, Reclaiming, nil},
	{PollingBusy, StreamEnded, always, PollingBusy, nil},
	{PollingBusy, StreamLost, always, PollingBusy, nil},
	{PollingBusy, StreamRefused, always, PollingBusy, nil},
	{PollingBusy, AnsweredIdle, retiring, Stopped, do(leave)},
	{PollingBusy, AnsweredIdle, idleExpired, Stopped, do(leaveFor(IdleTooLong))},
	{PollingBusy, AnsweredIdle, pingIsOld, FallingBack, do(armPollNow)}, // the answer may be out of date
	{PollingBusy, AnsweredIdle, otherwise, FallingBack, do(armPollLater)},
	{PollingBusy, AnsweredPause, idleExpired, Stopped, do(leaveFor(IdleTooLong))},
	{PollingBusy, AnsweredPause, pingIsOld, FallingBack, do(armPollNow)},
	{PollingBusy, AnsweredPause, otherwise, FallingBack, do(armPollLater)},
	{PollingBusy, AnsweredDisconnect, always, Stopped, do(leave)},
	{PollingBusy, AnsweredJob, retiring, Stopped, do(leave)},
	{PollingBusy, AnsweredJob, all(notPaused, notSeen), PollingBusy, do(startOffered)},
	{PollingBusy, AnsweredJob, all(paused, notSeen, streamSilent), FallingBack, do(keepOffer, armPollNow)}, // the stream will not repeat it
	{PollingBusy, AnsweredJob, idleExpired, Stopped, do(leaveFor(IdleTooLong))},
	{PollingBusy, AnsweredJob, pingIsOld, FallingBack, do(armPollNow)}, // the next answer repeats it if it is still true
	{PollingBusy, AnsweredJob, otherwise, FallingBack, do(armPollLater)},
	{PollingBusy, PollFailed, retiring, Stopped, do(leave)}, // the last ping may fail; only a pause delays leaving
	{PollingBusy, PollFailed, idleExpired, Stopped, do(leaveFor(IdleTooLong))},
	{PollingBusy, PollFailed, otherwise, FallingBack, do(armPollLater)},
	{PollingBusy, PollRefused, always, Stopped, do(leaveFor(PingWasRefused))},
	{PollingBusy, JobFinished, leaving, Stopped, do(leave)},
	{PollingBusy, JobFinished, otherwise, FallingBack, do(armPollNow)},
	{PollingBusy, JobRejected, leaving, Stopped, do(forget, leave)},
	{PollingBusy, JobRejected, retiring, Stopped, do(forget, leave)}, // by uptime
	{PollingBusy, JobRejected, otherwise, FallingBack, do(forget, armPollLater)},
	{PollingBusy, DrainRequested, pingInFlight, Stopped, do(cancelPing, leave)},
	{PollingBusy, DrainRequested, otherwise, PollingBusy, do(stopAccepting)},
	{PollingBusy, ForceRequested, pingInFlight, Stopped, do(cancelPing, leave)},
	{PollingBusy, ForceRequested, otherwise, PollingBusy, do(cancelJob)},
	{PollingBusy, SessionRefused, pingInFlight, Stopped, do(cancelPing, leave)},
	{PollingBusy, SessionRefused, otherwise, PollingBusy, do(stopAccepting)},
	{PollingBusy, IdleExpired, all(pingInFlight, notPaused), PollingBusy, do(expireIdle)}, // the answer may name a job
	{PollingBusy, UptimeExpired, all(pingInFlight, leaving), Stopped, do(cancelPing, leave)},
	{PollingBusy, UptimeExpired, leaving, PollingBusy, do(stopAccepting)},
	{PollingBusy, UptimeExpired, otherwise, PollingBusy, nil},

	// Reclaiming: the stream's messages are newer than the ping, so only a job
	// or a disconnect in its answer counts.
	{Reclaiming, ReceivedResume, all(pingInFlight, retiring), Stopped, do(cancelPing, leave)},
	{Reclaiming, ReceivedResume, otherwise, Reclaiming, nil},
	{Reclaiming, ReceivedPause, always, Reclaiming, nil},
	{Reclaiming, ReceivedDisconnect, pingInFlight, Stopped, do(cancelPing, leave)},
	{Reclaiming, ReceivedDisconnect, otherwise, Reclaiming, do(stopAccepting)},
	{Reclaiming, ReceivedJob, mayBeStarted, Reclaiming, do(keepOffer)},
	{Reclaiming, ReceivedJob, otherwise, Reclaiming, nil},
	{Reclaiming, TrustExpired, always, PollingBusy, nil},
	{Reclaiming, StreamEnded, always, PollingBusy, nil},
	{Reclaiming, StreamLost, always, PollingBusy, nil},
	{Reclaiming, StreamRefused, always, PollingBusy, nil},
	{Reclaiming, AnsweredIdle, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, AnsweredIdle, idleExpired, Stopped, do(leaveFor(IdleTooLong))},
	{Reclaiming, AnsweredIdle, otherwise, StreamHealthy, nil},
	{Reclaiming, AnsweredPause, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, AnsweredPause, idleExpired, Stopped, do(leaveFor(IdleTooLong))},
	{Reclaiming, AnsweredPause, otherwise, StreamHealthy, nil},
	{Reclaiming, AnsweredDisconnect, always, Stopped, do(leave)},
	{Reclaiming, AnsweredJob, all(notPaused, notSeen), Reclaiming, do(startOffered)},
	{Reclaiming, AnsweredJob, all(paused, notSeen), StreamHealthy, do(keepOffer)},
	{Reclaiming, AnsweredJob, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, AnsweredJob, idleExpired, Stopped, do(leaveFor(IdleTooLong))},
	{Reclaiming, AnsweredJob, otherwise, StreamHealthy, nil},
	{Reclaiming, PollFailed, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, PollFailed, idleExpired, Stopped, do(leaveFor(IdleTooLong))},
	{Reclaiming, PollFailed, otherwise, StreamHealthy, nil},
	{Reclaiming, PollRefused, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, PollRefused, idleExpired, Stopped, do(leaveFor(IdleTooLong))},
	{Reclaiming, PollRefused, otherwise, StreamHealthy, nil},
	{Reclaiming, JobFinished, leaving, Stopped, do(leave)},
	{Reclaiming, JobFinished, retiring, Stopped, do(leave)},
	{Reclaiming, JobFinished, all(notPaused, mailboxHasJob), Running, do(startWaiting)},
	{Reclaiming, JobFinished, otherwise, StreamHealthy, nil},
	{Reclaiming, JobRejected, leaving, Stopped, do(forget, leave)},
	{Reclaiming, JobRejected, retiring, Stopped, do(forget, leave)},
	{Reclaiming, JobRejected, all(notPaused, mailboxHasJob), Running, do(forget, startWaiting)},
	{Reclaiming, JobRejected, otherwise, StreamHealthy, do(forget)},
	{Reclaiming, DrainRequested, pingInFlight, Stopped, do(cancelPing, leave)},
	{Reclaiming, DrainRequested, otherwise, Reclaiming, do(stopAccepting)},
	{Reclaiming, ForceRequested, pingInFlight, Stopped, do(cancelPing, leave)},
	{Reclaiming, ForceRequested, otherwise, Reclaiming, do(cancelJob)},
	{Reclaiming, SessionRefused, pingInFlight, Stopped, do(cancelPing, leave)},
	{Reclaiming, SessionRefused, otherwise, Reclaiming, do(stopAccepting)},
	{Reclaiming, IdleExpired, all(pingInFlight, notPaused), Reclaiming, do(expireIdle)},
	{Reclaiming, UptimeExpired, all(pingInFlight, leaving), Stopped, do(cancelPing, leave)},
	{Reclaiming, UptimeExpired, leaving, Reclaiming, do(stopAccepting)},
	{Reclaiming, UptimeExpired, otherwise, Reclaiming, nil},
}
