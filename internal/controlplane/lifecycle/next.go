package lifecycle

import "github.com/switchyard-ci/switchyard/internal/controlplane/statetable"

// Refusal is why a request about a job is not carried out; empty is none.
type Refusal = statetable.Refusal

// The refusals.
const (
	// NotOffered: the job is not on offer to that worker.
	NotOffered Refusal = "the job is not on offer to this worker"
	// OfferedToOther: another worker has the offer; it may come back.
	OfferedToOther Refusal = "the job is on offer to another worker"
	// TokenEnded: the token is not one of the job's present acceptance.
	TokenEnded Refusal = "the token is not valid for the job any more"
	// JobEnded: the job has ended, with another result if a result was reported.
	JobEnded Refusal = "the job has ended"
)

// Decision is the table's answer to one event.
type Decision struct {
	// Row is the row taken; nil if the event was ignored.
	Row *Row
	// Ignored is why the event was ignored; empty otherwise.
	Ignored string
	// Refusal is why the request is refused; empty otherwise.
	Refusal Refusal
	// Changed is set where the job must be stored.
	Changed bool
	// Effects are those of the job as it is then: see Job.Effects.
	Effects []Effect
}

// Table is a machine of a job as a value. It never changes and may be used
// concurrently.
type Table struct {
	table *statetable.Table[State, EventKind, Job, Event, acting]
}

// NewTable returns the machine with these rows and ignored pairs. It keeps both
// slices.
func NewTable(rows []Row, ignored []Ignored) *Table { return &Table{statetable.New(rows, ignored)} }

var table = NewTable(rows, ignored)

// Rows returns the table's rows in their order, in a slice of the caller's own.
func Rows() []Row { return table.table.Rows() }

// IgnoredPairs returns what the table ignores and why, in a slice of the caller's
// own.
func IgnoredPairs() []Ignored { return table.table.Ignored() }

// Next returns the job after an event, and the decision behind it. It changes
// nothing and depends on nothing else; it may be called concurrently. A job that
// Decision.Changed does not name is returned as it was.
func Next(job Job, ev Event) (Job, Decision) { return table.Next(job, ev) }

// Next is Next with this table.
func (t *Table) Next(job Job, ev Event) (Job, Decision) {
	row, why := t.table.Next(job.State, ev.Kind, &job, &ev)
	if row == nil {
		return job, Decision{Ignored: why}
	}
	return take(row, job, ev)
}

// take returns the job after a row.
func take(row *Row, job Job, ev Event) (Job, Decision) {
	d := Decision{Row: row, Refusal: row.Refuse, Changed: row.Changes()}
	if !d.Changed {
		return job, d
	}
	ev.Reason = shorten(ev.Reason, MaxReason)
	from, worker, name := job.State, job.WorkerID, job.WorkerName
	a := acting{job: &job, ev: &ev}
	for _, action := range row.Do {
		action.Do(&a)
	}
	job.State = row.To
	d.Effects = job.Effects()
	if worker == "" {
		worker, name = job.WorkerID, job.WorkerName
	}
	job.History = job.History.With(Entry{
		At: ev.At, Event: ev.Kind.String(), Actor: shorten(ev.Actor, maxEntryText), From: from, To: row.To,
		Reason: shorten(ev.Reason, maxEntryText), WorkerID: worker, WorkerName: shorten(name, maxEntryText),
	})
	return job, d
}
