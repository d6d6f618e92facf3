package verify

import "github.com/switchyard-ci/switchyard/fsm/verify/explore"

// agent adds what an agent may do. It follows the rules that an outsider can
// check: it starts a process only when its start was granted, and sends a result
// only when it is in the spool. It does not remember which jobs it ran.
func (g *generator) agent(w *world, number uint8) {
	a := &w.agents[number]
	if a.phase == dead {
		next := *w
		next.agents[number] = next.agents[number].free()
		g.add(&next, move{act: restart, agent: number}, agentsRestart, "")
		return
	}
	g.sendResults(w, number)
	g.kills(w, number)
	switch a.phase {
	case idle:
		g.beginAccept(w, number)
	case accepting:
		g.send(w, newMessage(acceptRequest, number, a.job, 0, noResult), move{act: sendRequest, agent: number, job: a.job})
		next := *w
		next.agents[number] = a.free()
		g.add(&next, move{act: giveUp, agent: number, job: a.job}, faulty, "")
	case starting:
		g.send(w, newMessage(startRequest, number, a.job, a.token, noResult), move{act: sendRequest, agent: number, job: a.job})
		if a.token != endedToken { // else its start is refused, and that is all
			g.end(w, number, giveUp, endedByAgent, faulty)
		}
	case executing:
		r := &g.machine.records[w.jobs[a.job]]
		g.end(w, number, endProcess, exited, anyGood)
		g.end(w, number, endProcess, endedByAgent, faulty)
		if g.setting.retry {
			g.end(w, number, endProcess, timedOut, faulty)
		}
		if r.mustEnd() || w.seen[a.job].overdue {
			g.end(w, number, endProcess, interrupted, anyGood)
		}
	default:
	}
}

// free returns the agent without a job in hand.
func (a *agent) free() agent { return agent{spool: a.spool} }

// beginAccept adds that an agent asks for a job that it was offered. Offers may
// be old, so that it may ask for any job; one on offer to it is asked for.
func (g *generator) beginAccept(w *world, number uint8) {
	for job := range uint8(jobCount) {
		r := &g.machine.records[w.jobs[job]]
		if r.state == "" || job > 0 && !g.setting.retry || w.agents[number].spool[job].result != noResult {
			continue
		}
		good := faulty
		if r.state == assigned && r.worker == g.setting.workers[number] {
			good = anyGood
		} else if g.setting.retry {
			continue // old offers are explored in the other settings
		}
		next := *w
		next.agents[number].phase, next.agents[number].job = accepting, job
		g.add(&next, move{act: beginAccept, agent: number, job: job}, good, "")
	}
}

// send adds that a request is sent, if there is room for it.
func (g *generator) send(w *world, m message, by move) {
	next := *w
	if next.put(m, g.room()) && next != *w {
		g.add(&next, by, anyGood, "")
	}
}

// end adds that an agent has a result of the job in its hand.
func (g *generator) end(w *world, number uint8, how act, r result, in explore.Environments) {
	next := *w
	a := &next.agents[number]
	job := a.job
	a.spool[job] = undelivered{a.token, r}
	*a = a.free()
	g.add(&next, move{act: how, agent: number, job: job, result: r}, in, "")
}

func (g *generator) sendResults(w *world, number uint8) {
	for job := range uint8(jobCount) {
		if u := w.agents[number].spool[job]; u.result != noResult {
			g.send(w, newMessage(finishRequest, number, job, u.token, u.result), move{act: sendResult, agent: number, job: job})
		}
	}
}

// kills adds that an agent is killed. The next agent process finds in the spool
// that a job was started, and reports that its end is not known. If the machine
// itself dies, the newest entry of the spool may be lost. Answers that are on their
// way to the agent are lost.
func (g *generator) kills(w *world, number uint8) {
	if w.kills >= g.bounds.Kills {
		return
	}
	next := *w
	next.kills++
	for _, m := range w.messages {
		if m != 0 && m.agent() == number && !m.isRequest() {
			next.take(m)
		}
	}
	a := &next.agents[number]
	was := *a
	*a = a.free()
	a.phase = dead
	if was.phase == starting {
		unsaved := next
		g.add(&unsaved, move{act: killUnsaved, agent: number}, faulty, "")
	}
	if was.phase == starting || was.phase == executing {
		a.spool[was.job] = undelivered{was.token, endedByAgent}
	}
	for job, u := range was.spool {
		if u.result != noResult && u.result != endedByAgent {
			unsaved := next
			unsaved.agents[number].spool[job].result = endedByAgent
			g.add(&unsaved, move{act: killUnsaved, agent: number}, faulty, "")
		}
	}
	g.add(&next, move{act: kill, agent: number}, faulty, "")
}
