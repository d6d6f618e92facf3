package verify

import (
	"slices"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// identity is a registered worker, as a job's record names it.
type identity uint8

const (
	nobody        identity = iota
	thisWorker             // the one that is explored
	earlierWorker          // that of an earlier process of the same agent
	otherWorker
)

// token is a token of a job. Tokens that nobody has any more are not told apart.
type token uint8

const (
	noToken      token = iota
	heldToken          // the worker has it, with the job in its hand
	spooledToken       // it is in the agent's spool, with an undelivered result
	strangeToken       // somebody else has it, or nobody: its answer was lost
)

// ending is how a process ended, in the world's words.
type ending uint8

const (
	noEnding     ending = iota
	exited              // by itself
	interrupted         // its agent ended it: a cancellation, a timeout or a stop of the worker
	endedByAgent        // its agent was stopped on its machine
	endUnseen           // its agent was killed meanwhile; reported as ended by its agent
)

var (
	identities = [...]string{nobody: "", thisWorker: "this", earlierWorker: "earlier", otherWorker: "other"}
	tokens     = [...]string{noToken: "", heldToken: "held", spooledToken: "spooled", strangeToken: "strange"}
	results    = [...]lifecycle.Result{
		noEnding:     {},
		exited:       {ExitStatus: "0"},
		interrupted:  {ExitStatus: wire.ExitStatusNeverRan, Signal: "SIGTERM", SignalReason: wire.ReasonCancel},
		endedByAgent: {ExitStatus: wire.ExitStatusNeverRan, SignalReason: wire.ReasonAgentStop},
		endUnseen:    {ExitStatus: wire.ExitStatusNeverRan, SignalReason: wire.ReasonAgentStop},
	}
)

// jobEvent is an event of a job in the world.
type jobEvent struct {
	kind   lifecycle.EventKind
	worker identity
	token  token
	ending ending
}

// index numbers the events, from 0.
func (ev jobEvent) index() int {
	i := int(ev.kind)*len(identities) + int(ev.worker)
	return (i*len(tokens)+int(ev.token))*len(results) + int(ev.ending)
}

var jobEvents = len(lifecycle.EventKinds()) * len(identities) * len(tokens) * len(results)

func (ev jobEvent) event() lifecycle.Event {
	id := identities[ev.worker]
	return lifecycle.Event{
		Kind: ev.kind, At: someTime, Actor: "world", Reason: someReason, WorkerID: id, WorkerName: id,
		Token: tokens[ev.token], Result: results[ev.ending], RetryID: "retry",
	}
}

// jobFacts is what the world reads of a stored job.
type jobFacts struct {
	state         lifecycle.State
	worker        identity
	held, spooled bool // the token is valid
	started       bool
	mustEnd       bool
}

// onOffer reports whether the control plane expects this worker to start the job.
func (f *jobFacts) onOffer() bool {
	return f.worker == thisWorker && (f.state == wire.StateAssigned || f.state == wire.StateAccepted)
}

// begun reports whether the job was started. A replica of the control plane that lags
// behind may still offer it.
func (f *jobFacts) begun() bool { return f.state == wire.StateRunning || f.over() }

// over reports whether the job has ended.
func (f *jobFacts) over() bool { return f.state.Final() }

// jobAnswer is what the table does with a job on an event.
type jobAnswer struct {
	to      number
	granted bool // a request was carried out, now or before
	changed bool
	broken  string // what is wrong with the answer, or empty
}

// jobRecords numbers the stored jobs that the table of package lifecycle reaches, and
// caches its answers. There are few of them.
type jobRecords struct {
	table    *lifecycle.Table
	numbered numbered[lifecycle.Job]
	facts    []jobFacts
	answers  [][]*jobAnswer
	kept     [][4]int // with which tokens a job is which one; 0 is not known, else its number plus one
	done     number   // a job that has ended, and of which nobody knows anything that is not stored
	queued   number
}

func newJobRecords(table *lifecycle.Table) *jobRecords {
	r := &jobRecords{table: table, numbered: newNumbered[lifecycle.Job]()}
	r.done = r.number(lifecycle.Job{
		Result: results[exited], State: wire.StateFinished, SubmittedAt: someTime, FinishedAt: someTime,
	})
	r.queued = r.ask(r.number(lifecycle.Job{}), jobEvent{kind: lifecycle.Submitted}).to
	return r
}

// number returns the number of a job, without what no rule reads.
func (r *jobRecords) number(job lifecycle.Job) number {
	job.History = lifecycle.History{}
	job.Tokens = slices.Sorted(slices.Values(job.Tokens))
	job.Tokens = slices.Compact(job.Tokens)
	n, isNew := r.numbered.number(job)
	if isNew {
		r.facts = append(r.facts, jobFacts{
			state:  job.State,
			worker: identity(max(0, slices.Index(identities[:], job.WorkerID))), //nolint:gosec // at most 3
			held:   job.Holds(tokens[heldToken]), spooled: job.Holds(tokens[spooledToken]),
			started: !job.StartedAt.IsZero(), mustEnd: job.MustEnd(),
		})
		r.answers = append(r.answers, make([]*jobAnswer, jobEvents))
		r.kept = append(r.kept, [4]int{})
	}
	return n
}

// ask returns what the table does on an event.
func (r *jobRecords) ask(of number, ev jobEvent) *jobAnswer {
	i := ev.index()
	if a := r.answers[of][i]; a != nil {
		return a
	}
	before := r.numbered.all[of]
	after, d := r.table.Next(before, ev.event())
	a := &jobAnswer{granted: d.Row != nil && d.Refusal == "", changed: d.Changed, broken: checkJob(&before, &after, ev, &d)}
	a.to = r.number(after)
	r.answers[of][i] = a
	return a
}

// keep returns the job with those of its tokens that somebody has. One that has ended,
// and of which nobody has a token, is done: every request about it is refused.
func (r *jobRecords) keep(of number, held, spooled bool) number {
	which := 0
	if held {
		which |= 1
	}
	if spooled {
		which |= 2
	}
	if n := r.kept[of][which]; n > 0 {
		return number(n - 1) //nolint:gosec // at most maxNumbers
	}
	job := r.numbered.all[of]
	var left []string
	if held && job.Holds(tokens[heldToken]) {
		left = append(left, tokens[heldToken])
	}
	if spooled && job.Holds(tokens[spooledToken]) {
		left = append(left, tokens[spooledToken])
	}
	n := r.done
	if job.Tokens = left; len(left) > 0 || !job.State.Final() {
		n = r.number(job)
	}
	r.kept[of][which] = int(n) + 1
	return n
}

// spool returns the job with the token that the worker has in the agent's spool.
func (r *jobRecords) spool(of number) number {
	job := r.numbered.all[of]
	job.Tokens = slices.DeleteFunc(slices.Clone(job.Tokens), func(t string) bool { return t == tokens[spooledToken] })
	for i, t := range job.Tokens {
		if t == tokens[heldToken] {
			job.Tokens[i] = tokens[spooledToken]
		}
	}
	return r.number(job)
}

// reregister returns the job of a worker whose agent has started again: its worker is
// an earlier one.
func (r *jobRecords) reregister(of number) number {
	job := r.numbered.all[of]
	if job.WorkerID == identities[thisWorker] {
		job.WorkerID, job.WorkerName = identities[earlierWorker], identities[earlierWorker]
	}
	return r.number(job)
}
