package verify

import (
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// observer is what an outsider knows of a job: what was requested, and how it was
// answered.
type observer struct {
	startedBy token // the token whose start was acknowledged
	ran       bool  // a process was started
	result    result
	endedBy   token // the token whose result was acknowledged
	cancel    bool  // a cancellation was acknowledged before the job ended
	stop      bool  // its worker was stopped while it ran
	overdue   bool  // it has run for longer than its timeout
}

// causes are the events that can bring a job into a state.
func causes(s lifecycle.State) []lifecycle.EventKind {
	switch s {
	case queued:
		return []lifecycle.EventKind{
			lifecycle.Submitted, lifecycle.WorkerUnknown, lifecycle.WorkerLost, lifecycle.WorkerLeft, lifecycle.WorkerPaused,
			lifecycle.WorkerStopping, lifecycle.WorkerStopped, lifecycle.WorkerRevoked, lifecycle.WorkerBusy,
			lifecycle.NotAccepted, lifecycle.NotStarted,
		}
	case assigned:
		return []lifecycle.EventKind{lifecycle.Assigned}
	case accepted:
		return []lifecycle.EventKind{lifecycle.Accepted, lifecycle.Acquired}
	case running:
		return []lifecycle.EventKind{lifecycle.Started}
	case finished:
		return []lifecycle.EventKind{lifecycle.Finished, lifecycle.RetryWithdrawn}
	case canceled:
		return []lifecycle.EventKind{
			lifecycle.Finished, lifecycle.CancelRequested, lifecycle.OriginalEnded, lifecycle.RetryWithdrawn,
		}
	case lost:
		return []lifecycle.EventKind{lifecycle.Silent, lifecycle.Absent, lifecycle.WorkerRevoked}
	default:
	}
	return nil
}

// step is one event of a job, with what is stored before and after it.
type step struct {
	w             *world
	job           uint8
	in            input
	before, after *record
	granted       bool // a request was carried out, now or before
}

// check updates the observer, and returns what an outsider sees go wrong, or
// nothing.
func (s *step) check() string {
	for _, check := range []func() string{s.checkMove, s.checkRequest, s.checkTerm, s.checkRetry, s.checkMemory} {
		if broken := check(); broken != "" {
			return broken
		}
	}
	return ""
}

// checkMove checks that the state changes for a reason, and that an end is final.
func (s *step) checkMove() string {
	from, to := s.before.state, s.after.state
	switch {
	case from == to:
		return ""
	case !slices.Contains(causes(to), s.in.kind):
		return "a job is " + string(to) + " without a reason"
	case from == lost && s.in.kind == lifecycle.RetryWithdrawn && s.before.late != noResult:
	case from.Final() && (from != lost || s.in.kind != lifecycle.Finished || s.before.retried):
		return "a job that has ended changes its state"
	}
	return ""
}

// checkRequest checks the answer to a request.
func (s *step) checkRequest() string {
	switch s.in.kind {
	case lifecycle.Accepted, lifecycle.Acquired:
		return s.checkAcceptance()
	case lifecycle.Started:
		return s.checkStart()
	case lifecycle.Finished:
		return s.checkFinish()
	case lifecycle.CancelRequested:
		return s.checkCancel()
	case lifecycle.OriginalEnded, lifecycle.RetryWithdrawn, lifecycle.RetryKept:
		return s.checkLateResult()
	case lifecycle.Submitted:
		if s.before.state == "" && s.after.state != queued {
			return "an acknowledged submission is not stored"
		}
	case lifecycle.Assigned:
		if s.before.state == queued && (s.after.state != assigned || s.after.worker != s.in.worker) {
			return "a queued job cannot be assigned"
		}
	default:
	}
	return ""
}

func (s *step) checkAcceptance() string {
	mine := s.before.worker == s.in.worker && (s.before.state == assigned || s.before.state == accepted)
	mine = mine || s.before.state == queued && s.in.kind == lifecycle.Acquired
	switch {
	case s.granted != mine:
		return "a job is refused to the worker that has its offer, or granted to another"
	case s.granted && (s.after.state != accepted || s.after.worker != s.in.worker || !s.after.tokens.has(s.in.token)):
		return "an acknowledged acceptance is not stored"
	}
	return ""
}

func (s *step) checkStart() string {
	o := &s.w.seen[s.job]
	ended := s.w.void.has(s.in.token)
	switch {
	case s.granted && ended:
		return "a token that has ended starts a job"
	case s.granted && o.startedBy != 0 && o.startedBy != s.in.token:
		return "two tokens start one job"
	case s.granted && s.before.state.Final():
		return "a job that has ended is started"
	case s.granted && (s.after.state != running || !s.after.tokens.has(s.in.token)):
		return "an acknowledged start is not stored"
	case !s.granted && !ended && (s.before.state == accepted || s.before.state == running):
		return "a start with a valid token is refused"
	}
	if s.granted {
		o.startedBy = s.in.token
		s.w.endTokens(s.job, s.in.token)
	}
	return ""
}

func (s *step) checkFinish() string {
	o := &s.w.seen[s.job]
	ended := s.w.void.has(s.in.token)
	switch {
	case !s.granted && o.result != noResult && o.result != s.in.result:
		return "" // an agent that lost its spool reports another end
	case !s.granted && (s.in.token == o.startedBy || s.in.token == o.endedBy):
		return "the result of a job that may have run is refused"
	case !s.granted && !ended && s.before.state == accepted:
		return "a result with a valid token is refused"
	case !s.granted:
		return ""
	case ended:
		return "a token that has ended reports a result"
	case o.result != noResult && o.result != s.in.result:
		return "two results of one job are acknowledged"
	}
	o.result, o.endedBy = s.in.result, s.in.token
	s.w.endTokens(s.job, s.in.token)
	if s.before.state == finished || s.before.state == canceled || s.before.retried {
		return ""
	}
	asked := o.cancel || o.stop || s.before.timedOut || s.in.overdue
	switch {
	case s.in.result == exited && s.after.state != finished:
		return "a command that ended by itself is not shown as finished"
	case s.in.result != exited && asked != (s.after.state == canceled):
		return "a command that was ended by request is not shown as canceled, or the reverse"
	case s.in.overdue && !s.after.timedOut:
		return "a job that exceeded its timeout is not shown so"
	case s.before.state == lost && !s.after.isLate:
		return "a late result is not shown as late"
	}
	return ""
}

func (s *step) checkCancel() string {
	o := &s.w.seen[s.job]
	switch s.before.state {
	case queued, assigned, accepted:
		if !s.granted || s.after.state != canceled || !s.after.cancel || !s.after.reason {
			return "a job that was not started is not canceled on request"
		}
		o.cancel = true
		s.w.endTokens(s.job, 0)
	case running:
		if !s.granted || !s.after.cancel || !s.after.reason {
			return "a running job is not canceled on request"
		}
		o.cancel = true
	case finished, lost:
		if s.granted {
			return "a cancellation of a job that has ended is acknowledged"
		}
	case canceled:
		if !s.granted {
			return "a repeated cancellation is refused"
		}
	default:
	}
	return ""
}

// checkLateResult checks what becomes of a job and its retry when the job's result
// arrives after it was retried.
func (s *step) checkLateResult() string {
	started := s.w.seen[s.job].startedBy != 0
	switch s.in.kind {
	case lifecycle.OriginalEnded:
		waits := s.before.state == queued || s.before.state == assigned || s.before.state == accepted
		switch {
		case waits && (s.after.state != canceled || !s.after.reason):
			return "a retry that was not started is not withdrawn"
		case started && *s.after != *s.before:
			return "a retry that was started does not run on"
		case waits:
			s.w.endTokens(s.job, 0)
		}
	case lifecycle.RetryWithdrawn:
		if s.before.state == lost && s.before.late != noResult {
			asked := s.before.mustEnd() && s.before.late != exited || s.before.late == timedOut
			if !s.after.state.Final() || s.after.state == lost || asked != (s.after.state == canceled) || !s.after.isLate {
				return "a job does not end with its late result"
			}
		}
	case lifecycle.RetryKept:
		if s.before.state == lost && !s.after.retryKept {
			return "a job does not show that its retry runs on"
		}
	default:
	}
	return ""
}

// withdraws reports whether an event takes the job from its worker.
func withdraws(from lifecycle.State, on lifecycle.EventKind) bool {
	switch on {
	case lifecycle.WorkerUnknown, lifecycle.WorkerLost, lifecycle.WorkerLeft, lifecycle.WorkerStopped, lifecycle.WorkerRevoked:
		return from == assigned || from == accepted
	case lifecycle.WorkerPaused, lifecycle.WorkerStopping, lifecycle.WorkerBusy, lifecycle.NotAccepted:
		return from == assigned
	case lifecycle.NotStarted:
		return from == accepted
	default:
	}
	return false
}

// checkTerm checks what becomes of a job when its worker is gone, or a term has
// expired.
func (s *step) checkTerm() string {
	from, to, on := s.before.state, s.after.state, s.in.kind
	if withdraws(from, on) != (to == queued && from != queued && on != lifecycle.Submitted) {
		return "a job stays with a worker that cannot run it, or is taken from one that can"
	}
	if to == queued {
		s.w.endTokens(s.job, 0)
	}
	if from != running {
		return ""
	}
	switch on {
	case lifecycle.WorkerStopped:
		if s.in.noRetry && !s.before.mustEnd() && s.after.retries != 0 {
			return "a job that must not be retried may be"
		}
		if !s.before.mustEnd() {
			s.w.seen[s.job].stop = true
		}
		if !s.after.mustEnd() {
			return "a stopped worker runs its job on"
		}
	case lifecycle.TimedOut:
		if !s.after.mustEnd() {
			return "a job runs on after its timeout"
		}
	case lifecycle.WorkerRevoked:
		if to != lost {
			return "a job runs on whose worker was revoked"
		}
		s.w.endTokens(s.job, 0)
	case lifecycle.Silent, lifecycle.Absent:
		if to != lost {
			return "a job is not lost that nothing is known of"
		}
	default:
	}
	return ""
}

// checkRetry checks that a job is retried when its end is not known, or its agent
// ended it, and only then.
func (s *step) checkRetry() string {
	retried := s.after.retried && !s.before.retried
	if s.before.state.Final() || !s.after.state.Final() {
		if retried {
			return "a job is retried that has not ended, or had ended before"
		}
		return ""
	}
	o := &s.w.seen[s.job]
	wanted := s.before.retries > 0 && !o.cancel && !s.before.timedOut
	switch s.in.kind {
	case lifecycle.Silent, lifecycle.Absent, lifecycle.WorkerRevoked:
		if s.before.state != running {
			wanted = false
		}
	case lifecycle.Finished:
		if s.in.overdue && s.in.result != exited {
			return "" // stopped, and over its timeout: both are right
		}
		wanted = wanted && (s.in.result == endedByAgent || s.in.result == interrupted && o.stop)
	default:
		wanted = false
	}
	if retried != wanted {
		return "a job is retried that ended for good, or is not retried that did not"
	}
	return ""
}

// checkMemory checks that nothing that was acknowledged is forgotten, and that no
// token is valid that has ended.
func (s *step) checkMemory() string {
	o, r := &s.w.seen[s.job], s.after
	if r.state != running {
		o.overdue = false
	}
	switch {
	case o.startedBy != 0 && r.state != running && !r.state.Final():
		return "an acknowledged start is forgotten"
	case o.result != noResult && !r.keeps(o.result):
		return "an acknowledged result is forgotten"
	case o.cancel && !r.state.Final() && !r.cancel:
		return "an acknowledged cancellation is forgotten"
	case o.stop && !r.state.Final() && !r.stop:
		return "a stop of the worker is forgotten"
	case s.w.void&r.tokens != 0:
		return "a token is valid that has ended"
	}
	return ""
}

// keeps reports whether a result is shown, as the job's own or beside its retry.
func (r *record) keeps(known result) bool {
	if r.state == lost {
		return r.late == known
	}
	return r.state.Final() && r.result == known
}

// endTokens ends every token of a job but one.
func (w *world) endTokens(job uint8, except token) {
	void := w.void
	end := func(of uint8, t token) {
		if of == job && t != except {
			void = void.with(t)
		}
	}
	for i := range w.agents {
		end(w.agents[i].job, w.agents[i].token)
		end(job, w.agents[i].spool[job].token)
	}
	for _, m := range w.messages {
		end(m.job(), m.token())
	}
	w.void = void
}
