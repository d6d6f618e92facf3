package verify

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
)

// number names a record within an exploration.
type number uint16

// maxRecords bounds the records of an exploration.
const maxRecords = 1<<16 - 1<<10 // room for those of one step

// machine runs records through a table. It keeps each record once, and each answer
// of the table. It is not for concurrent use.
type machine struct {
	table   *lifecycle.Table
	records []record
	numbers map[record]number
	answers map[question]answer
	rows    map[string]int // answers by the row that was taken
}

// question is an event in a record.
type question struct {
	of number
	in input
}

// answer is what the table does.
type answer struct {
	to      record
	taken   bool // by a row
	refused bool
	broken  string // what is wrong with the answer itself, or empty
}

func newMachine(t *lifecycle.Table) *machine {
	return &machine{table: t, numbers: map[record]number{}, answers: map[question]answer{}, rows: map[string]int{}}
}

// number returns the name of a record, a new one if the record is new.
func (m *machine) number(r *record) number {
	n, known := m.numbers[*r]
	if !known {
		n = number(len(m.records)) //nolint:gosec // explore checks maxRecords
		m.numbers[*r] = n
		m.records = append(m.records, *r)
	}
	return n
}

// ask returns what the table does on an event.
func (m *machine) ask(of number, in input) answer {
	q := question{of, in}
	a, known := m.answers[q]
	if !known {
		a = m.next(&m.records[of], &in)
		m.answers[q] = a
	}
	return a
}

func (m *machine) next(before *record, in *input) (a answer) {
	defer func() {
		if recover() != nil { // a mutant's action finds what its guard promised not there
			a = answer{to: *before, broken: "the table panics"}
		}
	}()
	job := before.job()
	after, d := m.table.Next(job, in.event())
	a = answer{to: recordOf(&after), taken: d.Row != nil, refused: d.Refusal != ""}
	switch {
	case d.Row != nil:
		m.rows[rowKey(d.Row)]++
		a.broken = checkAnswer(before, &a.to, in, &d)
	case d.Ignored == "":
		a.broken = fmt.Sprintf("an event has no row and no reason to be ignored: %v in %q", in.kind, before.state)
	}
	return a
}

// rowKey returns a name of the row that is unique in the table.
func rowKey(r *lifecycle.Row) string {
	from := string(r.From)
	if from == "" {
		from = "none"
	}
	return from + " / " + r.Name()
}

// checkAnswer returns what is wrong with an answer of the table to an event, or
// nothing. What must be done once a change is stored follows from the record alone, so
// that a control plane that was killed in between does it later.
func checkAnswer(before, after *record, in *input, d *lifecycle.Decision) string {
	if d.Refusal != "" && d.Changed {
		return "a refused request changed the job"
	}
	repeated := in.kind == lifecycle.CancelRequested && before.cancel ||
		(in.kind == lifecycle.TimedOut || in.kind == lifecycle.WorkerStopped) && before.state == running && before.mustEnd()
	switch {
	case repeated && d.Changed:
		return "a job that must end already changes when that is repeated"
	case in.kind == lifecycle.Finished && before.state.Final() && before.tokens.has(in.token) == (d.Refusal == lifecycle.TokenEnded):
		return "a result is refused for the wrong reason"
	}
	effects := map[lifecycle.EffectKind]string{}
	for _, e := range d.Effects {
		effects[e.Kind] = e.ID
	}
	for _, e := range []struct {
		kind   lifecycle.EffectKind
		wanted bool
		broken string
	}{
		{lifecycle.SubmitRetry, d.Changed && after.retried, "a retry is not submitted, or without being named"},
		{lifecycle.WithdrawRetry, d.Changed && after.withdraws(), "a retry is not withdrawn that is useless, or is that is not"},
	} {
		if id, done := effects[e.kind]; done != e.wanted || done && id != retryID {
			return e.broken
		}
	}
	return checkRecord(after)
}

// withdraws reports whether the job's retry must be withdrawn, unless it was started:
// the job's late result is known, and would not have been retried.
func (r *record) withdraws() bool {
	return r.state == lost && r.retried && !r.retryKept &&
		(r.late == exited || (r.late == interrupted || r.late == timedOut) && !r.stop)
}

func (r *record) mustEnd() bool { return r.cancel || r.stop || r.timedOut }

// checkRecord returns what a person who looks at the job would find missing, or
// nothing.
func checkRecord(r *record) string {
	held := r.state.InHand()
	switch {
	case r.state == "":
		return ""
	case !r.submittedAt:
		return "a submitted job has no time of its submission"
	case r.state == queued && (r.worker != 0 || r.tokens != 0 || r.assignedAt || r.acceptedAt || r.startedAt):
		return "a queued job has a worker, a token or a time of one"
	case held && (r.worker == 0 || !r.assignedAt):
		return "a job in hand has no worker or no time of its assignment"
	case r.state == assigned && (r.acceptedAt || r.tokens != 0):
		return "a job that was not accepted has a token"
	case (r.state == accepted || r.state == running) && !r.acceptedAt:
		return "an accepted job has no time of its acceptance"
	case r.state == running && !r.startedAt:
		return "a running job has no time of its start"
	case r.state.Final() != r.ended:
		return "a job has a time of its end and has not ended, or the reverse"
	case r.state == lost && (!r.lostReason || r.result != endUnknown):
		return "a lost job has no reason, or a result"
	case r.retryKept && (r.state != lost || !r.retried):
		return "a job without a retry has one that runs on"
	case r.state != lost && r.lostReason:
		return "a job that is not lost has a reason for its loss"
	case r.state == finished && (r.result == noResult || r.result == endUnknown):
		return "a finished job has no result"
	case r.cancel && !r.reason:
		return "a canceled job has no reason"
	case r.isLate != (r.late != noResult) && r.state == lost:
		return "a late result is not shown as late"
	}
	return ""
}
