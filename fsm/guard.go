package fsm

import "strings"

// view is what a guard reads: the facts after the event, and the event.
type view struct {
	*Facts

	ev Event
}

// Guard is a named condition on the facts after an event, and on the event.
type Guard struct {
	// Name is the condition in words, such as "stream up".
	Name string

	meaning string
	parts   []Guard // that must hold together; none for a simple condition
	holds   func(v view) bool
}

// Not returns the guard that holds when g does not.
func (g Guard) Not() Guard {
	return Guard{Name: "not (" + g.Name + ")", holds: func(v view) bool { return !g.holds(v) }}
}

// simple returns the simple conditions that the guard consists of.
func (g Guard) simple() []Guard {
	switch {
	case g.Name == "":
		return nil
	case len(g.parts) == 0:
		return []Guard{g}
	default:
		return g.parts
	}
}

// all returns the guard that holds when each of the guards does.
func all(guards ...Guard) Guard {
	names := make([]string, len(guards))
	for i, g := range guards {
		names[i] = g.Name
	}
	return Guard{Name: strings.Join(names, ", "), parts: guards, holds: func(v view) bool {
		for _, g := range guards {
			if !g.holds(v) {
				return false
			}
		}
		return true
	}}
}

// when returns a simple condition.
func when(name, meaning string, holds func(v view) bool) Guard {
	return Guard{Name: name, meaning: meaning, holds: holds}
}

func alwaysHolds(view) bool { return true }

var (
	// always is for the only row of a state and event; otherwise, for the last
	// of several.
	always    = Guard{holds: alwaysHolds}
	otherwise = when("otherwise", "no row above for the same event holds", alwaysHolds)

	leaving = when("leaving", "the worker leaves as soon as no job is in hand",
		func(v view) bool { return v.Leaving != Staying })
	retiring = when("retiring", "the worker leaves (after one job, or after its uptime) and is not paused",
		func(v view) bool { return v.Retiring != Staying && !v.Paused })

	paused    = when("paused", "the worker takes no work until it is resumed", func(v view) bool { return v.Paused })
	notPaused = when("not paused", "the worker may take work", func(v view) bool { return !v.Paused })

	streamUp = when("stream up", "the current connection of the stream has sent a message",
		func(v view) bool { return v.Stream == StreamUp })
	streamSilent = when("stream silent", "the current connection has sent a message, but its next one is late",
		func(v view) bool { return v.Stream == StreamSilent })
	streamUnknown = when("stream unknown", "the current connection has sent no message yet, and nothing has gone wrong",
		func(v view) bool { return v.Stream == StreamUnknown })
	streamRefused = when("stream refused", "the control plane refused the stream",
		func(v view) bool { return v.Stream == StreamIsRefused })
	streamTrusted = when("stream trusted", "stream up or stream unknown", func(v view) bool { return v.Stream.Trusted() })

	streamOnly = when("stream-only", "mode stream-only: work comes by the stream alone",
		func(v view) bool { return v.Mode == StreamOnly })
	pollOnly = when("poll-only", "mode poll-only: work comes by polling alone",
		func(v view) bool { return v.Mode == PollOnly })
	acquiring = when("acquire mode", "mode acquire: the worker was started for one job, named by its ID",
		func(v view) bool { return v.Mode == Acquire })
	pollingAllowed = when("polling allowed", "any mode but stream-only (in mode acquire, after the job)",
		func(v view) bool { return v.Mode != StreamOnly })

	mailboxHasJob = when("mailbox has job", "a job that was offered earlier waits in the mailbox",
		func(v view) bool { return v.Mailbox.Len() > 0 })
	notSeen = when("not seen", "the offered job was never started by this worker, or was rejected since",
		func(v view) bool { return v.ev.Job != "" && !v.Seen.Has(v.ev.Job) })
	// The job in hand may yet be rejected; dropping this offer would lose it then.
	mayBeStarted = when("not seen or in hand", "not seen, or the offered job is the one in hand, which may yet be rejected",
		func(v view) bool { return v.ev.Job != "" && (v.ev.Job == v.Job || !v.Seen.Has(v.ev.Job)) })

	idleExpired = when("idle timeout passed", "it passed while the ping was in flight, and the worker is not paused since",
		func(v view) bool { return v.IdleExpired })

	pingInFlight = when("ping in flight", "a ping was sent and not answered; no job is in hand",
		func(v view) bool { return v.Pinging })
	pingIsOld = when("answer is old", "the stream has sent a message since the ping was sent, so the answer may be out of date",
		func(v view) bool { return v.PingIsOld })
)
