package verify

import (
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// rule is a rule of the design that is in the facts of the machine, and the
// machine without it.
type rule struct {
	name    string
	without func(Advance) Advance
}

// changedAfter returns a machine whose facts are changed after each step.
func changedAfter(change func(before, after *fsm.Facts, ev fsm.Event)) func(Advance) Advance {
	return func(advance Advance) Advance {
		return func(s fsm.State, f *fsm.Facts, ev fsm.Event) (fsm.State, fsm.Facts, []fsm.Effect, fsm.Decision) {
			state, after, effects, d := advance(s, f, ev)
			if d.Row != nil {
				change(f, &after, ev)
			}
			return state, after, effects, d
		}
	}
}

// changedBefore returns a machine that gets changed facts, or a changed event.
func changedBefore(change func(f *fsm.Facts, ev *fsm.Event)) func(Advance) Advance {
	return func(advance Advance) Advance {
		return func(s fsm.State, f *fsm.Facts, ev fsm.Event) (fsm.State, fsm.Facts, []fsm.Effect, fsm.Decision) {
			shown := *f
			change(&shown, &ev)
			state, after, effects, d := advance(s, &shown, ev)
			if d.Row == nil {
				after = *f // an ignored event changes nothing
			}
			return state, after, effects, d
		}
	}
}

// on returns a change that is made only on events of the kinds.
func on(change func(before, after *fsm.Facts), kinds ...fsm.EventKind) func(before, after *fsm.Facts, ev fsm.Event) {
	return func(before, after *fsm.Facts, ev fsm.Event) {
		for _, kind := range kinds {
			if ev.Kind == kind {
				change(before, after)
			}
		}
	}
}

func isAnswer(ev *fsm.Event) bool { return ev.Kind.Class() == fsm.ClassAnswer }

// keepPause undoes the change of an event to the pause.
func keepPause(before, after *fsm.Facts) { after.Paused = before.Paused }

// rules returns the rules of the design, each as a whole. That work in hand is
// never abandoned, and that every wait has a deadline, is in the rows as well:
// mutants of targets and actions remove it one row at a time.
func rules() []rule {
	return slices.Concat(onceRules(), pauseRules(), streamRules(), leavingRules(), staleRules(), workRules(), deadlineRules())
}

// onceRules: a job is started once, and the stream is newer than an old answer.
func onceRules() []rule {
	return []rule{
		{"once: what was started is forgotten", changedAfter(func(_, after *fsm.Facts, _ fsm.Event) { after.Seen = fsm.Seen{} })},
		{"once: a rejected job may never be offered again", changedAfter(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Kind == fsm.JobRejected {
				after.Seen = before.Seen
			}
		})},
		{"once: an offer of the job in hand is dropped", changedAfter(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Job == before.Job {
				after.Mailbox = without(&after.Mailbox, ev.Job)
			}
		})},
		{"once: an offer of the job in hand is kept after its end", changedAfter(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Kind == fsm.JobFinished && before.Mailbox.Has(ev.Job) && after.Job == "" {
				after.Mailbox = before.Mailbox
			}
		})},
		{"newer: an old answer counts", changedBefore(func(f *fsm.Facts, ev *fsm.Event) { f.PingIsOld = f.PingIsOld && !isAnswer(ev) })},
		{"newer: an answer is new again once the stream is lost", changedAfter(on(func(_, after *fsm.Facts) { after.PingIsOld = false },
			fsm.StreamLost, fsm.StreamEnded, fsm.StreamRefused))},
	}
}

// pauseRules: a pause delays jobs and drops none, and ends when it should.
func pauseRules() []rule {
	return []rule{
		{"pause: an offer is dropped while paused", changedAfter(on(func(before, after *fsm.Facts) {
			if after.Paused {
				after.Mailbox = before.Mailbox
			}
		}, fsm.ReceivedJob, fsm.AnsweredJob))},
		{"pause: an offer is dropped during a job", changedAfter(on(func(before, after *fsm.Facts) {
			if before.Job != "" {
				after.Mailbox = before.Mailbox
			}
		}, fsm.ReceivedJob))},
		{"pause: a resume empties the mailbox", changedAfter(on(func(_, after *fsm.Facts) { after.Mailbox = fsm.Mailbox{} }, fsm.ReceivedResume))},
		{"pause: a pause during a job has no effect", changedAfter(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Kind == fsm.ReceivedPause && before.Job != "" {
				keepPause(before, after)
			}
		})},
		{"pause: a resume during a job has no effect", changedAfter(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Kind == fsm.ReceivedResume && before.Job != "" {
				keepPause(before, after)
			}
		})},
		{"pause: an offer on the stream ends it", changedBefore(func(f *fsm.Facts, ev *fsm.Event) {
			f.Paused = f.Paused && ev.Kind != fsm.ReceivedJob
		})},
		{"pause: the answer of a ping does not pause", changedAfter(on(keepPause, fsm.AnsweredPause))},
		{"pause: an idle answer does not end it", changedAfter(on(keepPause, fsm.AnsweredIdle))},
		{"pause: an answer that names a job does not end it", changedAfter(on(keepPause, fsm.AnsweredJob))},
		{"pause: an offer as the first message does not end it", changedAfter(on(keepPause, fsm.ReceivedJob))},
		{"failed ping: it is an idle answer", changedBefore(func(_ *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.PollFailed {
				ev.Kind = fsm.AnsweredIdle
			}
		})},
		{"failed ping: it resumes the worker", changedAfter(on(func(_, after *fsm.Facts) { after.Paused = false }, fsm.PollFailed))},
	}
}

// streamRules: silence is not health, a planned end is not a loss, and an end
// without a message is.
func streamRules() []rule {
	return []rule{
		{"silence: the first-message deadline changes nothing", changedBefore(func(_ *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.TrustExpired {
				ev.Epoch = 0
			}
		})},
		{"silence: only the first message has a deadline", changedBefore(func(f *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.TrustExpired && f.Stream == fsm.StreamUp {
				ev.Epoch = 0
			}
		})},
		{"silence: a stream that became silent is closed", changedAfter(on(func(before, after *fsm.Facts) {
			if before.Stream == fsm.StreamUp {
				after.Stream, after.Connection, after.Mailbox = fsm.StreamDown, before.Connection+1, fsm.Mailbox{}
			}
		}, fsm.TrustExpired))},
		{"silence: a late message is the first of its connection", changedAfter(func(before, after *fsm.Facts, ev fsm.Event) {
			if before.Stream == fsm.StreamSilent && ev.Kind.Class() == fsm.ClassMessage {
				after.Mailbox = fsm.Mailbox{}
			}
		})},
		{"silence: a planned end restores trust", changedAfter(on(func(before, after *fsm.Facts) {
			if before.Stream == fsm.StreamSilent {
				after.Stream = fsm.StreamUnknown
			}
		}, fsm.StreamEnded))},
		{"silence: an attempt to connect makes a lost stream unknown", changedAfter(on(func(_, after *fsm.Facts) {
			after.Stream = fsm.StreamUnknown
		}, fsm.StreamLost))},
		{"silence: the end of a connection leaves the stream up", changedAfter(on(func(before, after *fsm.Facts) {
			after.Stream = before.Stream
		}, fsm.StreamEnded, fsm.StreamLost))},
		{"planned: a planned end is a loss", changedBefore(func(_ *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.StreamEnded {
				ev.Kind = fsm.StreamLost
			}
		})},
		{"planned: an end without a message is not a loss", changedBefore(func(f *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.StreamLost && f.Stream == fsm.StreamUnknown {
				ev.Kind = fsm.StreamEnded
			}
		})},
	}
}

// leavingRules: nothing revokes a disconnect, and when a worker leaves.
func leavingRules() []rule {
	return []rule{
		{"sticky: a resume revokes a disconnect", changedAfter(on(func(_, after *fsm.Facts) {
			after.Leaving = fsm.Staying
		}, fsm.ReceivedResume))},
		{"sticky: a disconnect during a job has no effect", changedAfter(on(func(before, after *fsm.Facts) {
			if before.Job != "" {
				after.Leaving = before.Leaving
			}
		}, fsm.ReceivedDisconnect))},
		{"sticky: a drain during a job has no effect", changedAfter(on(func(before, after *fsm.Facts) {
			if before.Job != "" {
				after.Leaving = before.Leaving
			}
		}, fsm.DrainRequested))},
		{"prompt: the one job is not counted until it is over", oneJobTooLate},
		{"prompt: a rejected job is the one job", changedAfter(on(func(_, after *fsm.Facts) {
			if after.RetireAfterJob {
				after.Retiring = fsm.JobDone
			}
		}, fsm.JobRejected))},
		{"prompt: a pause does not keep a worker with its one job done", changedBefore(func(f *fsm.Facts, ev *fsm.Event) {
			f.Paused = f.Paused && (ev.Kind != fsm.JobFinished || !f.RetireAfterJob)
		})},
		{"leaving: a paused worker is idle", changedBefore(func(f *fsm.Facts, ev *fsm.Event) { f.Paused = f.Paused && ev.Kind != fsm.IdleExpired })},
		{"prompt: a worker that has a reason to leave fails by a refused ping", refusedPingFails},
		{"idle: the timeout is forgotten during a ping", changedAfter(func(before, after *fsm.Facts, _ fsm.Event) {
			after.IdleExpired = before.IdleExpired
		})},
		{"idle: a pause does not clear the timeout", changedAfter(on(func(before, after *fsm.Facts) {
			after.IdleExpired = before.IdleExpired
		}, fsm.ReceivedPause, fsm.AnsweredPause))},
		{"idle: a job does not clear the timeout", changedAfter(func(before, after *fsm.Facts, _ fsm.Event) {
			if after.Job != "" {
				after.IdleExpired = before.IdleExpired
			}
		})},
		{"leaving: a pause does not keep a worker at its uptime", changedBefore(func(f *fsm.Facts, ev *fsm.Event) {
			f.Paused = f.Paused && ev.Kind != fsm.UptimeExpired
		})},
		{"leaving: uptime is forgotten while paused", changedAfter(on(func(before, after *fsm.Facts) {
			after.Retiring = before.Retiring
		}, fsm.UptimeExpired))},
		{"leaving: a later reason replaces the first", changedAfter(on(func(_, after *fsm.Facts) {
			after.Leaving = fsm.Drained
		}, fsm.DrainRequested))},
	}
}

// staleRules: an event of something that is over has no effect.
func staleRules() []rule {
	return []rule{
		{"stale: an event of an old connection counts", changedBefore(func(f *fsm.Facts, ev *fsm.Event) {
			if c := ev.Kind.Class(); c == fsm.ClassMessage || c == fsm.ClassConnectionEnd || ev.Kind == fsm.TrustExpired {
				ev.Epoch = max(ev.Epoch, f.Connection)
			}
		})},
		{"stale: the answer to an old ping counts", changedBefore(func(f *fsm.Facts, ev *fsm.Event) {
			if isAnswer(ev) {
				ev.Epoch = f.Ping
			}
		})},
		{"stale: the end of another job counts", changedBefore(func(f *fsm.Facts, ev *fsm.Event) {
			if ev.Kind.Class() == fsm.ClassJobEnd {
				ev.Job = f.Job
			}
		})},
		{"stale: a deadline counts after the loss of trust", changedBefore(func(f *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.TrustExpired {
				f.Stream = fsm.StreamUnknown
			}
		})},
		{"stale: the mailbox is kept after its connection", changedAfter(on(func(before, after *fsm.Facts) {
			after.Mailbox = before.Mailbox
		}, fsm.StreamEnded, fsm.StreamLost, fsm.StreamRefused))},
	}
}

// workRules: a change of control abandons no work in hand.
func workRules() []rule {
	return []rule{
		{
			"work: a job in hand is abandoned when the stream is lost",
			abandoning(fsm.StreamLost, fsm.FallingBack, func(f *fsm.Facts) []fsm.Effect {
				if f.Job == "" {
					return nil
				}
				job := f.Job
				f.Job = ""
				return []fsm.Effect{{Kind: fsm.CancelJob, Job: job}}
			}),
		},
		{
			"work: a ping in flight is abandoned when the stream sends a message",
			abandoning(fsm.ReceivedResume, fsm.StreamHealthy, func(f *fsm.Facts) []fsm.Effect {
				if !f.Pinging {
					return nil
				}
				f.Pinging = false
				return []fsm.Effect{{Kind: fsm.CancelPing}}
			}),
		},
	}
}

// abandoning returns a machine that gives up work on an event, and goes to
// another state. give returns no effects when there is nothing to give up.
func abandoning(on fsm.EventKind, to fsm.State, give func(f *fsm.Facts) []fsm.Effect) func(Advance) Advance {
	return func(advance Advance) Advance {
		return func(s fsm.State, f *fsm.Facts, ev fsm.Event) (fsm.State, fsm.Facts, []fsm.Effect, fsm.Decision) {
			state, after, effects, d := advance(s, f, ev)
			if ev.Kind != on || d.Row == nil || state == fsm.Stopped {
				return state, after, effects, d
			}
			if given := give(&after); given != nil {
				return to, after, append(effects, given...), d
			}
			return state, after, effects, d
		}
	}
}

// deadlineRules: every wait has a deadline.
func deadlineRules() []rule {
	return []rule{
		{"deadline: a first message is awaited without one", unarmed(fsm.ArmTrust)},
		{"deadline: no ping is due at once", unarmed(fsm.ArmPollNow)},
		{"deadline: no ping is due after the interval", unarmed(fsm.ArmPollLater)},
	}
}

// unarmed returns a machine without one kind of effect.
func unarmed(kind fsm.EffectKind) func(Advance) Advance {
	return func(advance Advance) Advance {
		return func(s fsm.State, f *fsm.Facts, ev fsm.Event) (fsm.State, fsm.Facts, []fsm.Effect, fsm.Decision) {
			state, after, effects, d := advance(s, f, ev)
			return state, after, slices.DeleteFunc(effects, func(e fsm.Effect) bool { return e.Kind == kind }), d
		}
	}
}

// oneJobTooLate counts the one job of a worker only after the row for its end
// was picked.
func oneJobTooLate(advance Advance) Advance {
	return func(s fsm.State, f *fsm.Facts, ev fsm.Event) (fsm.State, fsm.Facts, []fsm.Effect, fsm.Decision) {
		shown := *f
		shown.RetireAfterJob = false
		state, after, effects, d := advance(s, &shown, ev)
		after.RetireAfterJob = f.RetireAfterJob
		if ev.Kind == fsm.JobFinished && d.Row != nil && f.RetireAfterJob {
			after.Retiring = fsm.JobDone
		}
		return state, after, effects, d
	}
}

// refusedPingFails makes every end by a refused ping a failure.
func refusedPingFails(advance Advance) Advance {
	return func(s fsm.State, f *fsm.Facts, ev fsm.Event) (fsm.State, fsm.Facts, []fsm.Effect, fsm.Decision) {
		state, after, effects, d := advance(s, f, ev)
		for i := range effects {
			if ev.Kind == fsm.PollRefused && effects[i].Kind == fsm.Stop {
				effects[i].Reason = fsm.PingWasRefused
			}
		}
		return state, after, effects, d
	}
}

// without returns the mailbox without one ID.
func without(m *fsm.Mailbox, id fsm.JobID) fsm.Mailbox {
	var ids []fsm.JobID
	for _, held := range m.IDs() {
		if held != id {
			ids = append(ids, held)
		}
	}
	return fsm.MailboxOf(ids...)
}

func ruleMutants() []mutant {
	all := rules()
	mutants := make([]mutant, len(all))
	for i, r := range all {
		mutants[i] = mutant{kind: "rule removed", change: r.name, advance: r.without(fsm.Advance)}
	}
	return mutants
}
