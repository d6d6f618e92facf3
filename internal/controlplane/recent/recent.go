// Package recent keeps numbers of the last hour for people: how many jobs were submitted
// and ended on this replica, and how long jobs waited until a worker accepted them. What is
// kept for longer is the business of metrics.
package recent

import (
	"math"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Minutes is how many minutes are kept.
const Minutes = 60

const (
	// stepsPerDecade is the precision of a wait: each class is a quarter wider
	// than the previous one.
	stepsPerDecade = 10
	decade         = 10
	// classes reach from 1 ms to a year.
	classes = 110
	// median and tail are percentages, of all.
	median, tail, all = 50, 99, 100
)

// Minute are the numbers of one minute.
type Minute struct {
	// Submitted, Succeeded and Ended are numbers of jobs; those that succeeded have ended.
	Submitted, Succeeded, Ended int

	waits [classes]uint32
}

// Numbers are a dispatch.Observer that keeps the numbers of the last hour, and passes
// everything on to another one. Its methods may be called concurrently.
type Numbers struct {
	dispatch.Observer

	now func() time.Time

	mu      sync.Mutex
	minutes [Minutes]Minute // by the number of the minute
	newest  int64           // the number of the newest minute
}

// New returns Numbers that pass everything on to next.
func New(next dispatch.Observer) *Numbers {
	return &Numbers{Observer: next, now: time.Now}
}

// JobChanged implements dispatch.Observer.
func (n *Numbers) JobChanged(before, after record.Job, ev lifecycle.Event) {
	n.Observer.JobChanged(before, after, ev)
	n.mu.Lock()
	defer n.mu.Unlock()
	minute := n.current()
	switch {
	case before.State == "":
		minute.Submitted++
	case after.State == wire.StateAccepted && before.State != after.State:
		minute.waits[classOf(after.AcceptedAt.Sub(after.SubmittedAt))]++
	}
	if after.State.Final() && !before.State.Final() {
		minute.Ended++
		if after.Outcome() == lifecycle.Succeeded {
			minute.Succeeded++
		}
	}
}

// current returns the numbers of this minute, and clears those of the minutes since the
// last call.
func (n *Numbers) current() *Minute {
	now := n.now().Unix() / int64(time.Minute/time.Second)
	if now-n.newest > Minutes {
		n.newest = now - Minutes
	}
	for n.newest < now {
		n.newest++
		n.minutes[n.newest%Minutes] = Minute{}
	}
	return &n.minutes[n.newest%Minutes]
}

// Hour are the numbers of the last hour.
type Hour struct {
	// Minutes are those of each minute, the oldest first.
	Minutes [Minutes]Minute
	// Submitted, Succeeded and Ended are numbers of jobs.
	Submitted, Succeeded, Ended int
	// Accepted is how many jobs were accepted, and Median and Tail how long half of them,
	// and 99 of 100, waited for that at most, from their submission; within 13 percent.
	Accepted     int
	Median, Tail time.Duration
}

// Hour returns the numbers of the last hour.
func (n *Numbers) Hour() (h Hour) {
	n.mu.Lock()
	n.current()
	for i := range h.Minutes {
		h.Minutes[i] = n.minutes[(n.newest+1+int64(i))%Minutes]
	}
	n.mu.Unlock()
	var waits [classes]uint32
	for i := range h.Minutes {
		m := &h.Minutes[i]
		h.Submitted, h.Succeeded, h.Ended = h.Submitted+m.Submitted, h.Succeeded+m.Succeeded, h.Ended+m.Ended
		for class, count := range m.waits {
			waits[class] += count
			h.Accepted += int(count)
		}
	}
	h.Median, h.Tail = quantile(waits, h.Accepted, median), quantile(waits, h.Accepted, tail)
	return h
}

// quantile returns the wait that a percentage of the jobs does not exceed.
func quantile(waits [classes]uint32, total, percent int) time.Duration {
	rank := (total*percent + all - 1) / all
	for class, count := range waits {
		if rank -= int(count); count > 0 && rank <= 0 {
			return middle(class)
		}
	}
	return 0
}

// classOf returns the class of a wait.
func classOf(wait time.Duration) int {
	ms := float64(wait) / float64(time.Millisecond)
	if ms < 1 {
		return 0
	}
	return min(classes-1, 1+int(math.Log10(ms)*stepsPerDecade))
}

// middle returns the wait in the middle of a class.
func middle(class int) time.Duration {
	if class == 0 {
		return time.Millisecond / 2
	}
	return time.Duration(math.Pow(decade, (float64(2*class-1)/2)/stepsPerDecade) * float64(time.Millisecond))
}
