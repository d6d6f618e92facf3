package verify

import (
	"slices"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// The states of a job, by short names.
const (
	queued   = wire.StateQueued
	assigned = wire.StateAssigned
	accepted = wire.StateAccepted
	running  = wire.StateRunning
	finished = wire.StateFinished
	canceled = wire.StateCanceled
	lost     = wire.StateLost
)

const (
	jobCount    = 2 // a job, and its retry
	agentCount  = 2
	maxInFlight = 4
)

// world is a state of everything: what is stored, the agents, and the network
// between them. It can be compared.
type world struct {
	jobs     [jobCount]number
	agents   [agentCount]agent
	messages [maxInFlight]message // on their way, in order of their numbers; 0 is none
	seen     [jobCount]observer
	void     tokens // those that must not act any more
	kills    uint8  // counted if they are bounded
	faults   uint8
}

// phase is what an agent does with the job in its hand.
type phase uint8

const (
	idle      phase = iota
	accepting       // it asks for the job until it is answered
	starting        // it has a token, and asks to start until it is answered
	executing       // the process runs
	dead            // the agent was killed; its spool is still there
)

// agent is a process on a machine, with its spool.
type agent struct {
	phase phase
	job   uint8
	token token
	spool [jobCount]undelivered
}

// undelivered is the result of a job that the control plane has not acknowledged.
type undelivered struct {
	token  token
	result result
}

// letter is the kind of a message.
type letter uint8

const (
	acceptRequest letter = iota + 1
	acceptAnswer         // without a token: refused
	startRequest
	startGranted
	startRefused
	finishRequest
	finishAnswer
)

// message is a request or an answer on its way, packed into a number.
type message uint16

const (
	resultBits = 3
	tokenBits  = 4
)

func newMessage(kind letter, agent, job uint8, t token, r result) message {
	m := message(kind)
	m = m<<1 | message(agent)
	m = m<<1 | message(job)
	m = m<<tokenBits | message(t)
	return m<<resultBits | message(r)
}

func (m message) result() result { return result(m & (1<<resultBits - 1)) }
func (m message) token() token   { return token(m >> resultBits & (1<<tokenBits - 1)) }
func (m message) job() uint8     { return uint8(m >> (resultBits + tokenBits) & 1) }
func (m message) agent() uint8   { return uint8(m >> (resultBits + tokenBits + 1) & 1) }
func (m message) kind() letter   { return letter(m >> (resultBits + tokenBits + 2)) }

// isRequest reports whether the message is on its way to the control plane.
func (m message) isRequest() bool {
	k := m.kind()
	return k == acceptRequest || k == startRequest || k == finishRequest
}

// put adds a message. It reports false if there is no room for it; a message that
// is on its way already is not added again.
func (w *world) put(m message, room uint8) bool {
	at := 0
	for ; at < maxInFlight && w.messages[at] != 0; at++ {
		if w.messages[at] == m {
			return true
		}
	}
	if at >= int(room) {
		return false
	}
	w.messages[at] = m
	w.sortMessages()
	return true
}

func (w *world) take(m message) {
	for i := range w.messages {
		if w.messages[i] == m {
			w.messages[i] = 0
		}
	}
	w.sortMessages()
}

func (w *world) sortMessages() {
	slices.SortFunc(w.messages[:], func(a, b message) int { return int(b) - int(a) })
}

func (w *world) onItsWay(match func(message) bool) bool {
	return slices.ContainsFunc(w.messages[:], func(m message) bool { return m != 0 && match(m) })
}

// live returns the tokens that somebody holds, or that are on their way.
func (w *world) live() tokens {
	var s tokens
	for i := range w.agents {
		a := &w.agents[i]
		s = s.with(a.token)
		for _, u := range a.spool {
			s = s.with(u.token)
		}
	}
	for _, m := range w.messages {
		s = s.with(m.token())
	}
	return s
}

// freeToken returns a name that no live token has, or 0 if there is none.
func (w *world) freeToken() token {
	live := w.live()
	for t := token(1); t <= maxTokens; t++ {
		if !live.has(t) {
			return t
		}
	}
	return 0
}

// mergeEnded makes all tokens that have ended one, because all are refused in the
// same way. So are the results that are reported with them.
func (w *world) mergeEnded() {
	if w.void == 0 {
		return
	}
	for i := range w.agents {
		a := &w.agents[i]
		if w.void.has(a.token) {
			a.token = endedToken
		}
		for j, u := range a.spool {
			if w.void.has(u.token) {
				a.spool[j] = undelivered{endedToken, endedByAgent}
			}
		}
	}
	old := w.messages
	w.messages = [maxInFlight]message{}
	for _, m := range old {
		if m == 0 {
			continue
		}
		if w.void.has(m.token()) {
			r := m.result()
			if r != noResult {
				r = endedByAgent
			}
			m = newMessage(m.kind(), m.agent(), m.job(), endedToken, r)
		}
		w.put(m, maxInFlight)
	}
	w.void = w.void.with(endedToken) & w.live()
}

// forget drops the tokens that nobody can present any more, so that their names
// can be used again, and what no rule reads of a job that has ended.
func (w *world) forget(m *machine) {
	w.void &= w.live()
	w.mergeEnded()
	live := w.live()
	for j := range w.jobs {
		s := &w.seen[j]
		for _, t := range []*token{&s.startedBy, &s.endedBy} {
			if *t != 0 && *t != gone && !live.has(*t) {
				*t = gone
			}
		}
		was := &m.records[w.jobs[j]]
		r := *was
		r.tokens &= live
		if r.state.Final() {
			r.settle()
			s.cancel, s.stop = s.cancel && r.state == lost, s.stop && r.state == lost
			if !w.concerns(uint8(j)) && !r.withdraws() {
				r, *s = r.over(), observer{}
			}
		}
		if r != *was {
			w.jobs[j] = m.number(&r)
		}
	}
}

// settle clears what no rule reads of a job that has ended: why it had to end, but
// for a lost job, whose late result depends on whether it had to.
func (r *record) settle() {
	r.retries = 0
	if r.state != lost {
		r.cancel, r.stop, r.timedOut, r.reason = false, false, false, false
	}
}

// over returns a job that has ended, whose result nobody can report any more.
func (r *record) over() record {
	s := record{
		state: r.state, worker: 1, retried: r.retried,
		submittedAt: true, assignedAt: true, acceptedAt: true, startedAt: r.startedAt, ended: true,
	}
	switch r.state {
	case lost:
		s.result, s.lostReason = endUnknown, true
	case canceled:
		s.result = interrupted
	default:
		s.result = exited
	}
	return s
}

// concerns reports whether an agent holds a job or a message is about it.
func (w *world) concerns(job uint8) bool {
	for i := range w.agents {
		a := &w.agents[i]
		if a.spool[job].result != noResult || a.job == job && a.phase != idle && a.phase != dead {
			return true
		}
	}
	return w.onItsWay(func(m message) bool { return m.job() == job })
}

// holds reports whether an agent that lives holds a job with a token: to start it,
// running, or its result.
func (w *world) holds(job uint8) bool {
	for i := range w.agents {
		a := &w.agents[i]
		if a.phase == dead {
			continue
		}
		if a.spool[job].result != noResult || a.job == job && (a.phase == starting || a.phase == executing) {
			return true
		}
	}
	return false
}
