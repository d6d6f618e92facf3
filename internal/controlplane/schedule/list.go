package schedule

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// DefaultPageSize is the size of a page where none is requested.
	DefaultPageSize = 50
	// MaxPageSize is the largest page that can be requested.
	MaxPageSize = 1000
)

// Page selects a page of a list. The zero value is the first page, of
// DefaultPageSize.
type Page struct {
	// Size is 1 to MaxPageSize; 0 is DefaultPageSize.
	Size int
	// Token was returned with the previous page; empty is the beginning.
	Token string
}

// resolve returns the size of the page and the ID before which it begins.
func (p Page) resolve() (size int, before uuid.UUID, err error) {
	if p.Size < 0 || p.Size > MaxPageSize {
		return 0, before, record.Invalid("page_size", "is %d, must be 1 to %d", p.Size, MaxPageSize)
	}
	before = uuid.Max
	if p.Token != "" {
		if before, err = uuid.Parse(p.Token); err != nil {
			return 0, before, record.Invalid("page_token", "is not a token of a previous page")
		}
	}
	return cmp.Or(p.Size, DefaultPageSize), before, nil
}

// JobFilter selects jobs; a zero field selects all.
type JobFilter struct {
	States   []wire.JobState
	Outcomes []lifecycle.Outcome
	Queue    string
	WorkerID string
}

// JobList is one page of jobs while it is being collected with NextJobs.
type JobList struct {
	size   int
	filter JobFilter
	worker uuid.UUID // the filter's WorkerID
	cursor uuid.UUID // the last job that was looked at
	end    bool      // there are no further jobs
}

// NewJobList returns a list to collect. It fails with a *record.InvalidError for a
// bad filter or page.
func NewJobList(f JobFilter, p Page) (*JobList, error) {
	l := &JobList{filter: f}
	for _, state := range f.States {
		if !state.Valid() {
			return nil, record.Invalid("states", "has %q, which is not a state of a job", state)
		}
	}
	for _, outcome := range f.Outcomes {
		if !slices.Contains(lifecycle.Outcomes(), outcome) {
			return nil, record.Invalid("outcomes", "has %q, which is not an outcome of a job", outcome)
		}
	}
	var err error
	if l.size, l.cursor, err = p.resolve(); err != nil {
		return nil, err
	}
	if f.WorkerID != "" {
		if l.worker, err = uuid.Parse(f.WorkerID); err != nil {
			return nil, record.Invalid("worker_id", "is %q, which is not the ID of a worker", f.WorkerID)
		}
	}
	return l, nil
}

// Missing returns how many jobs the page still lacks when it has n, zero if there
// are no further ones.
func (l *JobList) Missing(n int) int {
	if l.end {
		return 0
	}
	return l.size - n
}

// NextToken returns the token of the next page, empty if this is the last one.
func (l *JobList) NextToken() string {
	if l.end {
		return ""
	}
	return l.cursor.String()
}

func (l *JobList) matches(p pastJob) bool {
	return (len(l.filter.States) == 0 || slices.Contains(l.filter.States, p.state.Value())) &&
		(len(l.filter.Outcomes) == 0 || slices.Contains(l.filter.Outcomes, p.outcome.Value())) &&
		(l.filter.Queue == "" || p.queue.Value() == l.filter.Queue) &&
		(l.worker == uuid.Nil || p.worker == l.worker)
}

// Matches reports whether a job, as it was read, is one of the list. The index may
// have known an older record of the job.
func (l *JobList) Matches(job record.Job) bool { return l.matches(past(job)) }

// NextJobs returns the IDs of up to n further jobs of a list, newest first. It
// looks at a bounded number of jobs, so it can return fewer before the end.
func (x *Index) NextJobs(l *JobList, n int) []string {
	var ids []string
	steps := maxListSteps
	start := l.cursor
	l.end = true
	x.history.jobs.Descend(pastJob{id: start}, func(p pastJob) bool {
		if p.id == start {
			return true
		}
		if steps == 0 || len(ids) == n {
			l.end = false
			return false
		}
		steps--
		l.cursor = p.id
		if l.matches(p) {
			ids = append(ids, p.id.String())
		}
		return true
	})
	return ids
}

// WorkerFilter selects workers. Empty States selects the connected ones, an empty
// Queue selects all queues.
type WorkerFilter struct {
	States []workerstate.State
	Queue  string
}

// ConnectedStates returns the states of a worker that renews its lease.
func ConnectedStates() []workerstate.State {
	return slices.DeleteFunc(workerstate.States(), func(s workerstate.State) bool { return !s.Connected() })
}

// Worker is a worker's record and what this replica knows of the worker now.
type Worker struct {
	record.Worker

	// Streaming reports whether the worker has a stream to any replica, as far as
	// this one knows.
	Streaming bool
	// JobID is the job that the worker has or is offered; empty if there is none.
	JobID string
	// LastSeenAt is when the worker last gave a sign of life, not before this
	// replica started.
	LastSeenAt time.Time
}

// View adds what is known of a worker now to its record.
func (x *Index) View(worker record.Worker) Worker {
	v := Worker{Worker: worker}
	w := x.workers[worker.ID]
	if w == nil {
		return v
	}
	v.Streaming = w.stream != nil || w.otherReplica != ""
	v.LastSeenAt = w.seen
	for id, j := range w.jobs {
		if v.JobID == "" || j.state != wire.StateAssigned {
			v.JobID = id
		}
	}
	return v
}

// Workers returns a page of workers, newest first, and the token of the next
// page, which is empty if this is the last one. It fails with a
// *record.InvalidError for a bad page.
func (x *Index) Workers(f WorkerFilter, p Page) ([]Worker, string, error) {
	size, before, err := p.resolve()
	if err != nil {
		return nil, "", err
	}
	if len(f.States) == 0 {
		f.States = ConnectedStates()
	}
	var workers []Worker
	limit := before.String()
	for id, w := range x.workers {
		if slices.Contains(f.States, w.record.State) && (f.Queue == "" || f.Queue == w.record.Queue) && id < limit {
			workers = append(workers, x.View(w.record))
		}
	}
	slices.SortFunc(workers, func(a, b Worker) int { return cmp.Compare(b.ID, a.ID) })
	if len(workers) <= size {
		return workers, "", nil
	}
	return workers[:size:size], workers[size-1].ID, nil
}

// FindWorker returns the ID of the worker that ref names: an ID, or a name that
// only one connected worker has. It fails with record.ErrNotFound, or with a
// *record.InvalidError for an ambiguous name.
func (x *Index) FindWorker(ref string) (string, error) {
	if uuid.Validate(ref) == nil {
		return ref, nil
	}
	var ids []string
	for id, w := range x.workers {
		if w.record.Name == ref && w.record.State.Connected() {
			ids = append(ids, id)
		}
	}
	switch len(ids) {
	case 0:
		return "", fmt.Errorf("no connected worker is named %q: %w", ref, record.ErrNotFound)
	case 1:
		return ids[0], nil
	}
	return "", record.Invalid("id", "is %q, a name that %d workers have: use the ID", ref, len(ids))
}

// WaitingReason returns why the jobs of a queue wait, for people.
func (x *Index) WaitingReason(queue string) string {
	var c workerCounts
	if q := x.queues[queue]; q != nil {
		for _, w := range q.workers {
			c.add(w)
		}
	}
	return c.reason(queue)
}

// workerCounts counts the connected workers of a queue by what keeps them from
// taking a job.
type workerCounts struct {
	connected, paused, draining, busy int
}

func (c *workerCounts) add(w *workerEntry) {
	if !w.record.State.Connected() {
		return
	}
	c.connected++
	switch {
	case w.record.State == workerstate.Paused:
		c.paused++
	case !w.record.MayBeAssigned():
		c.draining++
	case len(w.jobs) > 0 || w.claim != nil:
		c.busy++
	}
}

// reason returns one line. A worker that is in no count is idle and polls: it
// will receive the job with its next ping.
func (c *workerCounts) reason(queue string) string {
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{{c.busy, "busy"}, {c.paused, "paused"}, {c.draining, "taking no more work"}} {
		switch p.n {
		case 0:
		case 1:
			if c.connected == 1 {
				return fmt.Sprintf("the one worker in queue %s is %s", queue, p.what)
			}
			parts = append(parts, "1 "+p.what)
		case c.connected:
			return fmt.Sprintf("all %d workers in queue %s are %s", p.n, queue, p.what)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	switch c.connected {
	case 0:
		return "no worker is connected in queue " + queue
	case c.busy + c.paused + c.draining:
		return fmt.Sprintf("no worker in queue %s is free: %s", queue, strings.Join(parts, ", "))
	}
	return fmt.Sprintf("a worker in queue %s is free, and will be given the job when it polls", queue)
}
