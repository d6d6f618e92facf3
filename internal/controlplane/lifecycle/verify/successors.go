package verify

import (
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// successor is a world after a move; what is broken is what an outsider sees.
type successor = explore.Successor[world, move]

// generator returns the successors of worlds. It is not for concurrent use.
type generator struct {
	bounds  Bounds
	setting setting
	machine *machine
	next    []successor
}

// Successors returns every world that may come after this one. The slice is valid
// until the next call.
func (g *generator) Successors(w world) []successor {
	g.next = g.next[:0]
	g.controlPlane(&w)
	g.network(&w)
	for a := range w.agents {
		g.agent(&w, uint8(a))
	}
	return g.next
}

// add adds a successor.
func (g *generator) add(w *world, m move, in explore.Environments, broken string) {
	if broken == "" {
		w.forget(g.machine)
	}
	g.next = append(g.next, successor{State: *w, Canonical: *w, Move: m, In: in, Broken: broken})
}

// faultAllowed counts a fault of the network, and reports whether it may happen.
func (g *generator) faultAllowed(w *world) bool {
	if g.bounds.Faults == 0 {
		return true
	}
	w.faults++
	return w.faults <= g.bounds.Faults
}

// store runs one event of a job through the table, and checks the step.
func (g *generator) store(w *world, job uint8, in input) (granted bool, broken string) {
	before := g.machine.records[w.jobs[job]]
	a := g.machine.ask(w.jobs[job], in)
	if a.broken != "" {
		return false, a.broken
	}
	s := step{w: w, job: job, in: in, before: &before, after: &a.to, granted: a.taken && !a.refused}
	broken = s.check()
	w.jobs[job] = g.machine.number(&a.to)
	return s.granted, broken
}

// event adds the world after an event that is not a request of an agent.
func (g *generator) event(w *world, job uint8, in input, good explore.Environments) {
	next := *w
	_, broken := g.store(&next, job, in)
	if broken == "" && next == *w {
		return // most events are ignored in most states
	}
	g.add(&next, move{act: storeEvent, job: job, in: in}, good, broken)
}

// controlPlane adds the events that come from people, from the control plane
// itself, and from the time that passes.
func (g *generator) controlPlane(w *world) {
	for job := range uint8(jobCount) {
		r := &g.machine.records[w.jobs[job]]
		if r.state == "" {
			if job == 0 || g.machine.records[w.jobs[0]].retried {
				g.event(w, job, input{kind: lifecycle.Submitted}, anyGood)
			}
			continue
		}
		g.lateResult(w, job)
		if job > 0 && !g.setting.retry {
			continue
		}
		for _, worker := range g.setting.distinct() {
			g.event(w, job, input{kind: lifecycle.Assigned, worker: worker}, anyGood)
		}
		g.terms(w, job)
		if g.setting.people {
			g.people(w, job)
		}
		for _, kind := range []lifecycle.EventKind{
			lifecycle.WorkerUnknown, lifecycle.WorkerLost, lifecycle.WorkerLeft, lifecycle.WorkerPaused,
			lifecycle.WorkerStopping, lifecycle.WorkerRevoked, lifecycle.WorkerBusy,
		} {
			g.event(w, job, input{kind: kind}, faulty)
		}
	}
}

// again adds that a replica, or a control plane that was killed in between, does again
// for a lost job what was done, or was not necessary.
func (g *generator) again(w *world, first *record) {
	if first.retryKept {
		g.event(w, 0, input{kind: lifecycle.RetryKept}, faulty)
	}
	if first.late == noResult {
		g.event(w, 0, input{kind: lifecycle.RetryWithdrawn}, faulty)
	}
}

// lateResult adds what the control plane does once the result of a job is known that
// was retried: it tells the retry, and then the job what became of that.
func (g *generator) lateResult(w *world, job uint8) {
	first, retry := &g.machine.records[w.jobs[0]], &g.machine.records[w.jobs[1]]
	if job == 0 && first.state == lost {
		g.again(w, first)
	}
	if !first.withdraws() || retry.state == "" {
		return
	}
	started := retry.state == running || retry.state.Final() && (retry.startedAt || retry.state != canceled)
	switch {
	case job > 0:
		g.event(w, job, input{kind: lifecycle.OriginalEnded}, anyGood)
	case retry.state == canceled && !started:
		g.event(w, job, input{kind: lifecycle.RetryWithdrawn}, anyGood)
	case started:
		g.event(w, job, input{kind: lifecycle.RetryKept}, anyGood)
	}
}

// people adds what people ask for, and the timeout.
func (g *generator) people(w *world, job uint8) {
	g.event(w, job, input{kind: lifecycle.CancelRequested}, faulty)
	g.event(w, job, input{kind: lifecycle.WorkerStopped}, faulty)
	g.event(w, job, input{kind: lifecycle.WorkerStopped, noRetry: true}, faulty)
	switch {
	case w.seen[job].overdue:
		g.event(w, job, input{kind: lifecycle.TimedOut}, anyGood)
	case g.machine.records[w.jobs[job]].state == running:
		next := *w
		next.seen[job].overdue = true
		g.add(&next, move{act: exceed, job: job}, faulty, "")
	default: // not running: the table ignores it
		g.event(w, job, input{kind: lifecycle.TimedOut}, faulty)
	}
}

// distinct returns the worker identities of the agents.
func (s *setting) distinct() []uint8 {
	if s.workers[0] == s.workers[1] {
		return s.workers[:1]
	}
	return s.workers[:]
}

// terms adds the terms that expire. They may expire at any time; in a world that
// behaves they do when nobody works on the job any more.
func (g *generator) terms(w *world, job uint8) {
	abandoned := faulty
	if !w.holds(job) && !w.onItsWay(func(m message) bool { return m.job() == job }) {
		abandoned = anyGood
	}
	g.event(w, job, input{kind: lifecycle.NotAccepted}, abandoned)
	g.event(w, job, input{kind: lifecycle.NotStarted}, abandoned)
	g.event(w, job, input{kind: lifecycle.Silent}, abandoned)
	g.event(w, job, input{kind: lifecycle.Absent}, faulty)
}
