package verify

import (
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// rule is a rule of the design that lives in the facts of the machine, and the
// machine without it.
type rule struct {
	name    string
	without func(Advance) Advance
}

// doctored returns a machine whose facts are changed after each step.
func doctored(change func(before, after *fsm.Facts, ev fsm.Event)) func(Advance) Advance {
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

// deceived returns a machine that is shown changed facts, or told a changed
// event.
func deceived(change func(f *fsm.Facts, ev *fsm.Event)) func(Advance) Advance {
	return func(advance Advance) Advance {
		return func(s fsm.State, f *fsm.Facts, ev fsm.Event) (fsm.State, fsm.Facts, []fsm.Effect, fsm.Decision) {
			shown := *f
			change(&shown, &ev)
			state, after, effects, d := advance(s, &shown, ev)
			if d.Row == nil {
				after = *f // nothing was done, so nothing is to be seen of it
			}
			return state, after, effects, d
		}
	}
}

// on returns a change that is made on events of the kinds only.
func on(change func(before, after *fsm.Facts), kinds ...fsm.EventKind) func(before, after *fsm.Facts, ev fsm.Event) {
	return func(before, after *fsm.Facts, ev fsm.Event) {
		for _, kind := range kinds {
			if ev.Kind == kind {
				change(before, after)
			}
		}
	}
}

func isAnswer(ev *fsm.Event) bool { return ev.Kind >= fsm.AnsweredIdle && ev.Kind <= fsm.PollRefused }

// keepPause undoes what an event did about the pause.
func keepPause(before, after *fsm.Facts) { after.Paused = before.Paused }

// rules are those of design.md, each as a whole. That work in hand is never
// abandoned, and that every wait has a deadline, is in the rows as well: mutants
// of targets and actions take it away one row at a time.
func rules() []rule {
	return slices.Concat(onceRules(), pauseRules(), streamRules(), leavingRules(), staleRules(), workRules(), deadlineRules())
}

// onceRules are that a job is started once, and that the stream's word is newer
// than that of an old answer.
func onceRules() []rule {
	return []rule{
		{"once: what was started is forgotten", doctored(func(_, after *fsm.Facts, _ fsm.Event) { after.Seen = fsm.Seen{} })},
		{"once: a rejected job may never be offered again", doctored(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Kind == fsm.JobRejected {
				after.Seen = before.Seen
			}
		})},
		{"once: an offer of the job in hand is dropped", doctored(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Job == before.Job {
				after.Mailbox = without(&after.Mailbox, ev.Job)
			}
		})},
		{"once: an offer of the job in hand outlives its end", doctored(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Kind == fsm.JobFinished && before.Mailbox.Has(ev.Job) && after.Job == "" {
				after.Mailbox = before.Mailbox
			}
		})},
		{"newer: an old answer counts", deceived(func(f *fsm.Facts, ev *fsm.Event) { f.PingIsOld = f.PingIsOld && !isAnswer(ev) })},
		{"newer: an answer is new again once the stream is lost", doctored(on(func(_, after *fsm.Facts) { after.PingIsOld = false },
			fsm.StreamLost, fsm.StreamEnded, fsm.StreamRefused))},
	}
}

// pauseRules are that a pause holds, and drops nothing, and what ends it.
func pauseRules() []rule {
	return []rule{
		{"pause: an offer is dropped while paused", doctored(on(func(before, after *fsm.Facts) {
			if after.Paused {
				after.Mailbox = before.Mailbox
			}
		}, fsm.ReceivedJob, fsm.AnsweredJob))},
		{"pause: an offer is dropped during a job", doctored(on(func(before, after *fsm.Facts) {
			if before.Job != "" {
				after.Mailbox = before.Mailbox
			}
		}, fsm.ReceivedJob))},
		{"pause: a resume empties the mailbox", doctored(on(func(_, after *fsm.Facts) { after.Mailbox = fsm.Mailbox{} }, fsm.ReceivedResume))},
		{"pause: a pause during a job is not heard", doctored(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Kind == fsm.ReceivedPause && before.Job != "" {
				keepPause(before, after)
			}
		})},
		{"pause: a resume during a job is not heard", doctored(func(before, after *fsm.Facts, ev fsm.Event) {
			if ev.Kind == fsm.ReceivedResume && before.Job != "" {
				keepPause(before, after)
			}
		})},
		{"pause: an offer on the stream ends it", deceived(func(f *fsm.Facts, ev *fsm.Event) {
			f.Paused = f.Paused && ev.Kind != fsm.ReceivedJob
		})},
		{"pause: the answer of a ping does not pause", doctored(on(keepPause, fsm.AnsweredPause))},
		{"pause: an idle answer does not end it", doctored(on(keepPause, fsm.AnsweredIdle))},
		{"pause: an answer with a job does not end it", doctored(on(keepPause, fsm.AnsweredJob))},
		{"pause: an offer as the first message does not end it", doctored(on(keepPause, fsm.ReceivedJob))},
		{"no news: a failed ping is an idle answer", deceived(func(_ *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.PollFailed {
				ev.Kind = fsm.AnsweredIdle
			}
		})},
		{"no news: a failed ping resumes", doctored(on(func(_, after *fsm.Facts) { after.Paused = false }, fsm.PollFailed))},
	}
}

// streamRules are that silence is not health, a planned end no loss, and an end
// without a message one.
func streamRules() []rule {
	return []rule{
		{"silence: the first-message deadline changes nothing", deceived(func(_ *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.TrustExpired {
				ev.Epoch = 0
			}
		})},
		{"silence: an attempt to connect makes a lost stream unknown", doctored(on(func(_, after *fsm.Facts) {
			after.Stream = fsm.StreamUnknown
		}, fsm.StreamLost))},
		{"silence: the end of a connection leaves the stream up", doctored(on(func(before, after *fsm.Facts) {
			after.Stream = before.Stream
		}, fsm.StreamEnded, fsm.StreamLost))},
		{"planned: a planned end is a loss", deceived(func(_ *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.StreamEnded {
				ev.Kind = fsm.StreamLost
			}
		})},
		{"planned: an end without a message is none", deceived(func(f *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.StreamLost && f.Stream == fsm.StreamUnknown {
				ev.Kind = fsm.StreamEnded
			}
		})},
	}
}

// leavingRules are that a disconnect is sticky, and when a worker leaves.
func leavingRules() []rule {
	return []rule{
		{"sticky: a resume outweighs a disconnect", doctored(on(func(_, after *fsm.Facts) {
			after.Leaving = fsm.Staying
		}, fsm.ReceivedResume))},
		{"sticky: a disconnect during a job is not heard", doctored(on(func(before, after *fsm.Facts) {
			if before.Job != "" {
				after.Leaving = before.Leaving
			}
		}, fsm.ReceivedDisconnect))},
		{"sticky: a drain during a job is not heard", doctored(on(func(before, after *fsm.Facts) {
			if before.Job != "" {
				after.Leaving = before.Leaving
			}
		}, fsm.DrainRequested))},
		{"prompt: the one job is not counted until it is over", oneJobTooLate},
		{"prompt: a rejected job is the one job", doctored(on(func(_, after *fsm.Facts) {
			if after.RetireAfterJob {
				after.Retiring = fsm.JobDone
			}
		}, fsm.JobRejected))},
		{"prompt: a pause does not keep a worker with its one job done", deceived(func(f *fsm.Facts, ev *fsm.Event) {
			f.Paused = f.Paused && (ev.Kind != fsm.JobFinished || !f.RetireAfterJob)
		})},
		{"leaving: a pause is idleness", deceived(func(f *fsm.Facts, ev *fsm.Event) { f.Paused = f.Paused && ev.Kind != fsm.IdleExpired })},
		{"leaving: a pause does not keep a worker at its uptime", deceived(func(f *fsm.Facts, ev *fsm.Event) {
			f.Paused = f.Paused && ev.Kind != fsm.UptimeExpired
		})},
		{"leaving: uptime is forgotten while paused", doctored(on(func(before, after *fsm.Facts) {
			after.Retiring = before.Retiring
		}, fsm.UptimeExpired))},
		{"leaving: a later reason takes the place of the first", doctored(on(func(_, after *fsm.Facts) {
			after.Leaving = fsm.Drained
		}, fsm.DrainRequested))},
	}
}

// staleRules are that what is over counts no more.
func staleRules() []rule {
	return []rule{
		{"over: news of an old connection counts", deceived(func(f *fsm.Facts, ev *fsm.Event) {
			if ev.Kind >= fsm.ReceivedResume && ev.Kind <= fsm.StreamRefused {
				ev.Epoch = max(ev.Epoch, f.Connection)
			}
		})},
		{"over: the answer of an old ping counts", deceived(func(f *fsm.Facts, ev *fsm.Event) {
			if isAnswer(ev) {
				ev.Epoch = f.Ping
			}
		})},
		{"over: the end of another job counts", deceived(func(f *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.JobFinished || ev.Kind == fsm.JobRejected {
				ev.Job = f.Job
			}
		})},
		{"over: a deadline counts after the first message", deceived(func(f *fsm.Facts, ev *fsm.Event) {
			if ev.Kind == fsm.TrustExpired {
				f.Stream = fsm.StreamUnknown
			}
		})},
		{"over: the mailbox outlives its connection", doctored(on(func(before, after *fsm.Facts) {
			after.Mailbox = before.Mailbox
		}, fsm.StreamEnded, fsm.StreamLost, fsm.StreamRefused))},
	}
}

// workRules are that a change of control abandons no work in hand.
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
			"work: a ping in flight is abandoned when the stream speaks",
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

// abandoning returns a machine that gives work up on an event, and goes to
// another state. give returns no effects where there is nothing to give up.
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

// deadlineRules are that no state waits for the outside without an event that
// comes if it does not.
func deadlineRules() []rule {
	return []rule{
		{"deadline: a first message is waited for without one", unarmed(fsm.ArmTrust)},
		{"deadline: no ping is due at once", unarmed(fsm.ArmPollNow)},
		{"deadline: no ping is due after the interval", unarmed(fsm.ArmPollLater)},
	}
}

// unarmed returns a machine that never asks for an effect.
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

// without returns the mailbox with an id left out.
func without(m *fsm.Mailbox, id fsm.JobID) fsm.Mailbox {
	var ids []fsm.JobID
	for _, held := range m.IDs() {
		if held != id {
			ids = append(ids, held)
		}
	}
	return fsm.MailboxOf(ids...)
}

func ruleMutants() []Mutant {
	all := rules()
	mutants := make([]Mutant, len(all))
	for i, r := range all {
		mutants[i] = Mutant{Kind: "rule removed", Change: r.name, advance: r.without(fsm.Advance)}
	}
	return mutants
}
