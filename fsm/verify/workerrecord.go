package verify

import (
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// NextWorker is the machine of a worker's stored record, such as workerstate.Next.
type NextWorker func(workerstate.Worker, workerstate.Event) (workerstate.Worker, workerstate.Decision)

// workerRecords numbers the stored records of a worker, and caches the answers of the
// table of package workerstate.
type workerRecords struct {
	next     NextWorker
	numbered numbered[workerstate.Worker]
	answers  [][]*workerAnswer
}

type workerAnswer struct {
	to     number
	broken string
}

func newWorkerRecords(next NextWorker) *workerRecords {
	return &workerRecords{next: next, numbered: newNumbered[workerstate.Worker]()}
}

// registered returns the record of a worker that has registered. One with lastJob is
// assigned no jobs.
func (r *workerRecords) registered(lastJob bool) number {
	ev := workerstate.Event{Kind: workerstate.Registered, At: someTime, LastJob: lastJob}
	worker, _ := r.next(workerstate.Worker{}, ev)
	return r.number(worker)
}

func (r *workerRecords) number(worker workerstate.Worker) number {
	n, isNew := r.numbered.number(worker)
	if isNew {
		r.answers = append(r.answers, make([]*workerAnswer, len(workerstate.EventKinds())))
	}
	return n
}

func (r *workerRecords) record(n number) *workerstate.Worker { return &r.numbered.all[n] }

// ask returns the record after an event, and what is wrong with it.
func (r *workerRecords) ask(of number, on workerstate.EventKind) (number, string) {
	if a := r.answers[of][on]; a != nil {
		return a.to, a.broken
	}
	before := *r.record(of)
	after, d := r.next(before, workerstate.Event{Kind: on, At: someTime, By: workerstate.ByOperator, Reason: someReason})
	a := &workerAnswer{broken: checkWorker(&before, &after, on)}
	if d.Row == nil && d.Ignored == "" {
		a.broken = "the table of workers has no answer to " + on.String() + " of a worker that is " + string(before.State)
	}
	a.to = r.number(after)
	r.answers[of][on] = a
	return a.to, a.broken
}

// checkWorker returns what an operator sees go wrong with a worker, or nothing. What
// was asked of a worker holds while it is lost, too.
func checkWorker(before, after *workerstate.Worker, on workerstate.EventKind) string {
	if before.State == workerstate.Left {
		if after.State != workerstate.Left {
			return "a worker that has left is back"
		}
		return ""
	}
	wanted, lost := before.Standing(), before.State == workerstate.Lost
	switch on {
	case workerstate.Seen:
		lost = false
	case workerstate.LeaseExpired:
		lost = true
	case workerstate.Disconnected, workerstate.Revoked:
		wanted, lost = workerstate.Left, false
	case workerstate.PauseRequested:
		if wanted == workerstate.Available {
			wanted = workerstate.Paused
		}
	case workerstate.ResumeRequested:
		if wanted == workerstate.Paused {
			wanted = workerstate.Available
		}
	case workerstate.DrainRequested:
		if wanted != workerstate.Stopped {
			wanted = workerstate.Draining
		}
	case workerstate.StopRequested:
		wanted = workerstate.Stopped
	case workerstate.Registered, workerstate.LastJobAnnounced:
	}
	switch {
	case after.Standing() != wanted:
		return "a worker that must be " + string(wanted) + " is not, after " + on.String()
	case (after.State == workerstate.Lost) != lost:
		return "a worker is lost that is there, or the reverse, after " + on.String()
	}
	return ""
}
