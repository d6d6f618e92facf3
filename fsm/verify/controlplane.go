package verify

import (
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// store makes a successor in which events of a job are stored, one after the other, and
// returns it and whether the last one was granted. It makes none, and returns nil, if
// nothing would change.
func (x *generator) store(kind moveKind, job uint8, in explore.Environments, events ...jobEvent) *successor {
	at := x.from.jobs[job]
	for _, ev := range events {
		a := x.jobs.ask(at, ev)
		if a.broken != "" {
			s := x.add(kind, job, in)
			s.broken = a.broken
			return s
		}
		at = a.to
	}
	if at == x.from.jobs[job] {
		return nil
	}
	s := x.add(kind, job, in)
	s.world.jobs[job] = at
	return s
}

// controlPlane makes what the control plane, and those who use it, do.
func (x *generator) controlPlane() {
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		if f := x.job(job); f.state == wire.StateQueued {
			x.queuedJob(job)
		} else if !f.over() {
			x.jobOfWorker(job)
		}
		if x.may&people != 0 && !x.job(job).over() {
			x.store(moveCancel, job, noEnvironment, jobEvent{kind: lifecycle.CancelRequested})
			x.store(moveTimeout, job, noEnvironment, jobEvent{kind: lifecycle.TimedOut})
		}
	}
	if x.alive() {
		x.commands()
	}
}

// queuedJob makes what becomes of a job that is queued: it is assigned to this worker,
// or to another one, which runs it to its end. In a world that behaves there is no
// other worker, unless this one takes no more jobs.
func (x *generator) queuedJob(job uint8) {
	w, r := x.from, x.workers.record(x.from.worker)
	if x.alive() && r.MayBeAssigned() && x.canSend() {
		in := noEnvironment
		if w.link == linkServed && x.free() {
			in = streamsWork
		}
		if s := x.store(moveAssign, job, in, jobEvent{kind: lifecycle.Assigned, worker: thisWorker}); s != nil {
			s.world.send(messageJob + job - 1)
		}
	}
	in := every
	if waits := r.Standing() == workerstate.Available || r.Standing() == workerstate.Paused; waits && x.alive() && !r.LastJob {
		in = noEnvironment
	}
	other := jobEvent{worker: otherWorker, token: strangeToken, ending: exited}
	x.runElsewhere(moveOther, job, in,
		other.on(lifecycle.Assigned), other.on(lifecycle.Accepted), other.on(lifecycle.Started), other.on(lifecycle.Finished))
}

// on returns the event with another kind.
func (ev jobEvent) on(kind lifecycle.EventKind) jobEvent {
	ev.kind = kind
	return ev
}

// runElsewhere makes a successor in which somebody else runs a job to its end.
func (x *generator) runElsewhere(kind moveKind, job uint8, in explore.Environments, events ...jobEvent) {
	if s := x.store(kind, job, in, events...); s != nil && s.broken == "" && x.from.ran&(1<<job) != 0 {
		s.broken = onceBroken
	}
}

const onceBroken = "a job's process is started twice"

// free reports whether no job is with this worker.
func (x *generator) free() bool {
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		if f := x.job(job); f.worker == thisWorker && f.state.InHand() {
			return false
		}
	}
	return true
}

// jobOfWorker makes what becomes of a job that is with a worker: what the worker's
// record means for it, and the terms, which may expire at any time. In a world that
// behaves a term expires when nobody works on the job.
func (x *generator) jobOfWorker(job uint8) {
	f := x.job(job)
	abandoned := noEnvironment
	if !x.alive() || !x.from.holds(job) {
		abandoned = every
	}
	switch {
	case f.state == wire.StateRunning && x.may&crashing == 0 && abandoned == noEnvironment:
		// The worker renews its lease.
	case f.state == wire.StateRunning:
		x.store(moveSilent, job, abandoned, jobEvent{kind: lifecycle.Silent})
	case f.worker == earlierWorker:
		x.store(moveWithdraw, job, every, jobEvent{kind: lifecycle.WorkerLost})
	case f.state == wire.StateAccepted:
		x.store(moveNotStarted, job, abandoned, jobEvent{kind: lifecycle.NotStarted})
	case f.state == wire.StateAssigned:
		if x.alive() && x.from.offered(job, &x.situations.all[x.from.machine]) {
			abandoned = noEnvironment
		}
		x.store(moveNotAccepted, job, abandoned, jobEvent{kind: lifecycle.NotAccepted})
		if x.may&crashing != 0 {
			clone := jobEvent{worker: thisWorker, token: strangeToken, ending: exited}
			x.runElsewhere(moveClone, job, noEnvironment, clone.on(lifecycle.Accepted), clone.on(lifecycle.Started), clone.on(lifecycle.Finished))
		}
	}
	if f.worker == thisWorker {
		if on, means := x.consequence(job); means {
			x.store(moveWithdraw, job, every, jobEvent{kind: on})
		}
	}
}

// consequence returns the event that the worker's record means for a job of it, if
// any, as package schedule decides it.
func (x *generator) consequence(job uint8) (on lifecycle.EventKind, means bool) {
	r, f := x.workers.record(x.from.worker), x.job(job)
	if f.state == wire.StateRunning {
		return lifecycle.WorkerStopped, r.Standing() == workerstate.Stopped
	}
	assigned := f.state == wire.StateAssigned
	switch r.State {
	case workerstate.Lost:
		return lifecycle.WorkerLost, true
	case workerstate.Left:
		return lifecycle.WorkerLeft, true
	case workerstate.Stopped:
		return lifecycle.WorkerStopped, true
	case workerstate.Draining:
		return lifecycle.WorkerStopping, assigned
	case workerstate.Paused:
		return lifecycle.WorkerPaused, assigned
	case workerstate.Available:
	}
	return lifecycle.WorkerBusy, assigned && x.busyBefore(job)
}

// busyBefore reports whether the worker has a job that takes precedence over one that
// is assigned to it.
func (x *generator) busyBefore(job uint8) bool {
	for other := uint8(1); other <= x.bounds.Jobs; other++ {
		f := x.job(other)
		if other != job && f.worker == thisWorker && f.state.InHand() && (f.state != wire.StateAssigned || other < job) {
			return true
		}
	}
	return false
}

// commands makes what is asked of the worker: to pause, to resume, to drain, to stop;
// and what is noted of its lease.
func (x *generator) commands() {
	w := x.from
	standing := x.workers.record(w.worker).Standing()
	if x.may&pausing != 0 {
		if x.bounds.Pauses == 0 || w.pauses < x.bounds.Pauses {
			if s := x.command(movePause, workerstate.PauseRequested, noEnvironment); s != nil && x.bounds.Pauses > 0 {
				s.world.pauses++
			}
		}
		if standing == workerstate.Paused {
			x.command(moveResume, workerstate.ResumeRequested, every) // every pause ends
		}
		x.command(moveDisconnect, workerstate.DrainRequested, noEnvironment)
	}
	if x.may&people != 0 {
		x.command(moveStop, workerstate.StopRequested, noEnvironment)
	}
	if x.may&crashing != 0 {
		x.command(moveLease, workerstate.LeaseExpired, noEnvironment)
	}
	if x.workers.record(w.worker).State == workerstate.Lost {
		x.command(moveSeen, workerstate.Seen, every) // by a heartbeat
	}
}

// command makes a successor in which an event of the worker is stored, and its
// standing instruction sent if it is another one. It makes none, and returns nil, if
// nothing would change.
func (x *generator) command(kind moveKind, on workerstate.EventKind, in explore.Environments) *successor {
	w := x.from
	to, broken := x.workers.ask(w.worker, on)
	before, after := x.standing(w.worker), x.standing(to)
	if broken == "" && (to == w.worker || before != after && !x.canSend()) {
		return nil
	}
	s := x.add(kind, 0, in)
	s.broken, s.world.worker = broken, to
	if before != after {
		s.world.send(after)
	}
	return s
}

// standing returns the message that a keep-alive repeats, and with which a stream
// begins.
func (x *generator) standing(worker number) uint8 {
	switch x.workers.record(worker).Standing() {
	case workerstate.Draining, workerstate.Stopped:
		return messageDisconnect
	case workerstate.Paused:
		return messagePause
	case workerstate.Available, workerstate.Lost, workerstate.Left:
	}
	return messageResume
}

// seen notes that a request of the worker has reached the control plane.
func (x *generator) seen(s *successor) {
	to, broken := x.workers.ask(s.world.worker, workerstate.Seen)
	if s.world.worker = to; s.broken == "" {
		s.broken = broken
	}
}
