package schedule

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	// DefaultPageSize is the size of a page where none is requested.
	DefaultPageSize = 50
	// MaxPageSize is the largest page that can be requested.
	MaxPageSize = 1000
	// MaxPageBytes is about how large a page becomes before it ends early: it ends
	// with the first record that passes it.
	MaxPageBytes = 4 << 20
)

// Page selects a page of a list. The zero value is the first page, of
// DefaultPageSize, with the newest first.
type Page struct {
	// Size is 1 to MaxPageSize; 0 is DefaultPageSize.
	Size int
	// Token was returned with the previous page; empty is the beginning.
	Token string
	// OldestFirst lists the oldest first.
	OldestFirst bool
	// Count counts the jobs of the list for a page that is not the first, too.
	Count bool
}

// resolve returns the size of the page and the ID after which it begins, which is
// the zero one for the first page.
func (p Page) resolve() (size int, after uuid.UUID, err error) {
	if size, err = p.size(); err != nil {
		return 0, after, err
	}
	if p.Token != "" {
		if after, err = uuid.Parse(p.Token); err != nil || after == uuid.Nil {
			return 0, after, record.Invalid("page_token", "is not a token of a previous page")
		}
	}
	return size, after, nil
}

// size returns the size of the page.
func (p Page) size() (int, error) {
	if p.Size < 0 || p.Size > MaxPageSize {
		return 0, record.Invalid("page_size", "is %d, must be 1 to %d", p.Size, MaxPageSize)
	}
	return cmp.Or(p.Size, DefaultPageSize), nil
}

// JobFilter selects jobs; a zero field selects all.
type JobFilter struct {
	States   []wire.JobState
	Outcomes []lifecycle.Outcome
	Queue    string
	WorkerID string
	// Since and Until bound the moment of submission, to the millisecond: not before
	// Since, and before Until.
	Since, Until time.Time
}

// JobList is one page of jobs while it is being collected with NextJobs.
type JobList struct {
	size        int
	filter      JobFilter
	worker      uuid.UUID // the filter's WorkerID
	low, high   uuid.UUID // the jobs are from low on and before high
	oldestFirst bool
	cursor      uuid.UUID // the last job that was looked at; zero is none
	end         bool      // there are no further jobs
}

// NewJobList returns a list to collect. It fails with a *record.InvalidError for a
// bad filter or page.
func NewJobList(f JobFilter, p Page) (*JobList, error) {
	l := &JobList{filter: f, oldestFirst: p.OldestFirst, high: uuid.Max}
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
	if !f.Since.IsZero() {
		l.low = firstID(f.Since)
	}
	if !f.Until.IsZero() {
		l.high = firstID(f.Until)
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

// Earlier returns a list to count, with CountJobs: the jobs of the pages before this
// one, when none of its own has been collected yet.
func (l *JobList) Earlier() *JobList {
	earlier := *l
	switch {
	case l.cursor == uuid.Nil:
		earlier.high = l.low
	case l.oldestFirst:
		if next := successor(l.cursor); before(next, l.high) {
			earlier.high = next
		}
	case before(l.low, l.cursor):
		earlier.low = l.cursor
	}
	return &earlier
}

// successor returns the ID that follows another one; the highest one has none.
func successor(id uuid.UUID) uuid.UUID {
	for i := len(id) - 1; id != uuid.Max; i-- {
		id[i]++
		if id[i] != 0 {
			break
		}
	}
	return id
}

// selects reports whether the list has the jobs of a class.
func (l *JobList) selects(c classKey) bool {
	return (len(l.filter.States) == 0 || slices.Contains(l.filter.States, c.state)) &&
		(len(l.filter.Outcomes) == 0 || slices.Contains(l.filter.Outcomes, c.outcome)) &&
		(l.filter.Queue == "" || c.queue == l.filter.Queue)
}

// scans reports whether the list looks at every job: at the worker of each, which no
// class knows, or because it has all jobs.
func (l *JobList) scans() bool {
	f := l.filter
	return f.WorkerID != "" || len(f.States) == 0 && len(f.Outcomes) == 0 && f.Queue == ""
}

// Matches reports whether a job, as it was read, is one of the list. The index may
// have known an older record of the job.
func (l *JobList) Matches(s record.Summary) bool {
	return l.selects(classKey{s.Queue, s.State, s.Outcome}) && (l.filter.WorkerID == "" || s.WorkerID == l.worker.String())
}

// NextJobs returns the IDs of up to n further jobs of a list, in its order. It looks
// at a bounded number of jobs, so it can return fewer before the end.
func (x *Index) NextJobs(l *JobList, n int) []string {
	var ids []string
	steps := maxListSteps
	l.end = true
	x.history.walk(l, func(id uuid.UUID, match bool) bool {
		if steps == 0 || len(ids) == n {
			l.end = false
			return false
		}
		steps--
		l.cursor = id
		if match {
			ids = append(ids, id.String())
		}
		return true
	})
	return ids
}

// CountJobs returns how many jobs a list has on all its pages. It looks at a bounded
// number of jobs from an ID on, the zero one at first, and returns the ID at which to
// continue, which is the zero one at the end.
func (x *Index) CountJobs(l *JobList, from uuid.UUID) (n int, next uuid.UUID) {
	if l.filter.WorkerID != "" {
		return x.history.countScanned(l, from, maxListSteps)
	}
	return x.history.countClasses(l), uuid.Nil
}

// The milliseconds since 1970 are the first 48 of 64 bits of a UUIDv7.
const idTimeBits, idRestBits = 48, 16

// timeOf returns the moment at which a UUIDv7 was made, to the millisecond.
func timeOf(id uuid.UUID) time.Time {
	return time.UnixMilli(int64(binary.BigEndian.Uint64(id[:]) >> idRestBits))
}

// firstID returns the lowest UUIDv7 of a moment.
func firstID(at time.Time) (id uuid.UUID) {
	ms := max(0, min(at.UnixMilli(), 1<<idTimeBits-1))
	binary.BigEndian.PutUint64(id[:], uint64(ms)<<idRestBits)
	return id
}
