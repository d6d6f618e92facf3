package replay

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// maxNamed bounds the workers that an error names.
const maxNamed = 10

// Filter selects records. Its zero value selects all of them.
type Filter struct {
	// Workers are IDs or names of workers; empty means all. Resolve takes beginnings of
	// IDs, too.
	Workers []string
	// Job is the ID of a job, for Resolve also its beginning: of the workers that had it, from
	// when they took it until it ended. Empty means all.
	Job fsm.JobID
	// Since and Until bound the time; the zero times do not.
	Since, Until time.Time
}

// Resolve returns the filter with whole IDs in place of their beginnings, of at least
// minBeginning characters. It returns an error that names a worker or the job if no record
// is about it, or if several IDs begin so.
func (f Filter) Resolve(records []fsm.Record) (Filter, error) {
	names, ids, jobs := map[string]bool{}, map[string]bool{}, map[string]bool{}
	var titles []string
	for i := range records {
		r := &records[i]
		if title := title(r.Name, r.Worker); !ids[r.Worker] && !slices.Contains(titles, title) {
			titles = append(titles, title)
		}
		names[r.Name], ids[r.Worker] = true, true
		for _, id := range append(r.Facts.Mailbox.IDs(), r.Facts.Job, r.Event.Job) {
			jobs[string(id)] = true
		}
	}
	slices.Sort(titles)
	workers := slices.Clone(f.Workers)
	for i, name := range workers {
		id, err := whole(name, ids)
		switch {
		case name != "" && names[name]:
		case err != nil:
			return f, fmt.Errorf("no worker has the name %q, and %w", name, err)
		case id == "":
			text := strings.Join(titles[:min(len(titles), maxNamed)], ", ")
			if more := len(titles) - maxNamed; more > 0 {
				text += fmt.Sprintf(" and %d more", more)
			}
			return f, fmt.Errorf("no worker has the name or ID %q; there are: %s", name, text)
		default:
			workers[i] = id
		}
	}
	f.Workers = workers
	if f.Job == "" {
		return f, nil
	}
	job, err := whole(string(f.Job), jobs)
	switch {
	case err != nil:
		return f, fmt.Errorf("job %q: %w", f.Job, err)
	case job == "":
		return f, fmt.Errorf("no worker had the job %q in what is recorded", f.Job)
	}
	f.Job = fsm.JobID(job)
	return f, nil
}

// minBeginning is the least length of the beginning of an ID, as for the control plane.
const minBeginning = 4

// whole returns the ID that is equal to a text or, if none is, the one that begins with it;
// empty if there is none. It returns an error if several do.
func whole(text string, ids map[string]bool) (string, error) {
	if text == "" || ids[text] {
		return text, nil
	}
	var found []string
	for id := range ids {
		if len(text) >= minBeginning && strings.HasPrefix(id, text) {
			found = append(found, id)
		}
	}
	switch len(found) {
	case 0:
		return "", nil
	case 1:
		return found[0], nil
	}
	slices.Sort(found)
	return "", fmt.Errorf("several IDs begin so: %s", strings.Join(found[:min(len(found), maxNamed)], ", "))
}

// Select reports which of the records are selected.
func (f Filter) Select(records []fsm.Record) []bool {
	selected := make([]bool, len(records))
	for i := range records {
		r := &records[i]
		selected[i] = f.isOf(r) && (f.Job == "" || f.isAbout(r)) &&
			!r.Time.Before(f.Since) && (f.Until.IsZero() || !r.Time.After(f.Until))
	}
	return selected
}

// isOf reports whether a record is of a selected worker.
func (f Filter) isOf(r *fsm.Record) bool {
	return len(f.Workers) == 0 || slices.ContainsFunc(f.Workers, func(name string) bool { return name == r.Worker || name == r.Name })
}

// isAbout reports whether a record is about the job of the filter, or its worker has it.
func (f Filter) isAbout(r *fsm.Record) bool { return r.Event.Job == f.Job || f.has(r) }

// has reports whether the worker of a record has the job of the filter after it.
func (f Filter) has(r *fsm.Record) bool {
	return r.Facts.Job == f.Job || r.Facts.Mailbox.Has(f.Job)
}

// Apply returns the records that are selected, in the order of each worker. The state that a
// worker is in at Since and at Until is part of them, unless it had left, or was killed,
// before.
func (f Filter) Apply(records []fsm.Record, killed map[string]Kill) []fsm.Record {
	timeless := f
	timeless.Since, timeless.Until = time.Time{}, time.Time{}
	ofAnyTime := timeless.Select(records)
	var selected []fsm.Record
	before := map[string]*fsm.Record{} // the last record of each worker before Since
	last := map[string]*fsm.Record{}   // of each worker between them
	for i := range records {
		r := &records[i]
		switch {
		case !ofAnyTime[i]:
			continue
		case r.Time.Before(f.Since):
			before[r.Worker] = r
			continue
		case before[r.Worker] != nil:
			last[r.Worker] = before[r.Worker]
			selected = append(selected, at(last[r.Worker], f.Since))
			delete(before, r.Worker)
		}
		if f.Until.IsZero() || !r.Time.After(f.Until) {
			selected = append(selected, *r)
			last[r.Worker] = r
		} else if last[r.Worker] != nil && last[r.Worker].To != fsm.Stopped {
			selected = append(selected, at(last[r.Worker], f.Until))
			delete(last, r.Worker)
		}
	}
	for i := range records { // nothing is known of them after Since; in their order
		id := records[i].Worker
		r := before[id]
		delete(before, id)
		if r == nil || r.To == fsm.Stopped || f.Job != "" && !f.has(r) {
			continue
		}
		if kill, ok := killed[id]; !ok || !kill.Before.Before(f.Since) {
			selected = append(selected, at(r, f.Since))
		}
	}
	return selected
}

// at returns what is known of a worker at a time after its last record.
func at(last *fsm.Record, when time.Time) fsm.Record {
	r := *last
	r.Time, r.Ignored, r.Effects, r.From, r.Folded, r.Event.Job = when, "it was before", nil, r.To, 0, ""
	return r
}
