package verify

import "github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"

// network adds what may become of each message. A control plane that is killed
// after it stored a change and before it answered is a request that is handled
// and whose answer is lost.
func (g *generator) network(w *world) {
	for _, m := range w.messages {
		if m == 0 {
			continue
		}
		lost := *w
		lost.take(m)
		if g.faultAllowed(&lost) {
			g.add(&lost, move{act: lose, agent: m.agent(), job: m.job(), message: m}, faulty, "")
		}
		if !m.isRequest() {
			g.deliver(w, m)
			continue
		}
		g.handle(w, m, handle)
		g.handle(w, m, repeat)
		if m.kind() == acceptRequest && !g.setting.retry {
			g.handle(w, m, acquire)
		}
	}
}

// room returns how many messages may be on their way.
func (g *generator) room() uint8 {
	if g.setting.retry {
		return max(1, g.bounds.InFlight-1)
	}
	return g.bounds.InFlight
}

// handle adds the world after a request was handled and its answer sent.
func (g *generator) handle(w *world, m message, how act) {
	next := *w
	in := input{token: m.token()}
	switch m.kind() {
	case acceptRequest:
		in.kind, in.worker, in.token = lifecycle.Accepted, g.setting.workers[m.agent()], next.freeToken()
		if how == acquire {
			in.kind = lifecycle.Acquired
		}
		if in.token == 0 {
			return // more tokens than the world has names for
		}
	case startRequest:
		in.kind = lifecycle.Started
	case finishRequest:
		in.kind, in.result = lifecycle.Finished, m.result()
		in.overdue = next.seen[m.job()].overdue || m.result() == timedOut
	default:
	}
	good := anyGood
	if how != handle {
		good = faulty
	}
	if how != repeat {
		next.take(m)
	} else if !g.faultAllowed(&next) {
		return
	}
	// The answer is on its way before the event is checked: its token is live.
	granted, broken := g.store(&next, m.job(), in)
	if broken == "" && !next.put(answerTo(m, in.token, granted), g.room()) {
		return
	}
	g.add(&next, move{act: how, agent: m.agent(), job: m.job(), message: m, in: in}, good, broken)
}

// answerTo returns the answer to a request.
func answerTo(m message, t token, granted bool) message {
	switch m.kind() {
	case acceptRequest:
		if !granted {
			t = 0
		}
		return newMessage(acceptAnswer, m.agent(), m.job(), t, noResult)
	case startRequest:
		if granted {
			return newMessage(startGranted, m.agent(), m.job(), t, noResult)
		}
		return newMessage(startRefused, m.agent(), m.job(), t, noResult)
	default:
	}
	return newMessage(finishAnswer, m.agent(), m.job(), t, noResult)
}

// deliver adds the world after an answer reached its agent. An answer that the
// agent does not wait for changes nothing.
func (g *generator) deliver(w *world, m message) {
	next := *w
	next.take(m)
	a := &next.agents[m.agent()]
	mine := a.job == m.job()
	broken := ""
	switch m.kind() {
	case acceptAnswer:
		if mine && a.phase == accepting {
			a.phase, a.token = starting, m.token()
			if m.token() == 0 {
				*a = a.free()
			}
		}
	case startGranted:
		if mine && a.phase == starting && a.token == m.token() {
			a.phase = executing
			o := &next.seen[m.job()]
			if o.ran {
				broken = "a job's process is started twice"
			}
			o.ran = true
		}
	case startRefused:
		if mine && a.phase == starting && a.token == m.token() {
			*a = a.free()
		}
	case finishAnswer:
		if u := &a.spool[m.job()]; u.token == m.token() {
			*u = undelivered{}
		}
	default:
	}
	g.add(&next, move{act: deliver, agent: m.agent(), job: m.job(), message: m}, anyGood, broken)
}
