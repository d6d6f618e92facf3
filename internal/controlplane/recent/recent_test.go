package recent

import (
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

type next struct{ changes int }

func (n *next) JobChanged(_, _ record.Job, _ lifecycle.Event)      { n.changes++ }
func (n *next) WorkerChanged(_ record.Worker, _ workerstate.Event) {}
func (n *next) Swept(time.Duration)                                {}

func job(state wire.JobState, wait time.Duration) record.Job {
	at := time.Unix(1_700_000_000, 0)
	j := record.Job{Job: lifecycle.Job{State: state}}
	j.SubmittedAt, j.AcceptedAt = at, at.Add(wait)
	if state == wire.StateFinished {
		j.ExitStatus = "0"
	}
	return j
}

// What happened an hour ago is forgotten, in time.
func TestHour(t *testing.T) {
	t.Parallel()
	passed, now := &next{}, time.Unix(1_700_000_000, 0)
	n := New(passed)
	n.now = func() time.Time { return now }
	for i := range 100 {
		n.JobChanged(record.Job{}, job(wire.StateQueued, 0), lifecycle.Event{})
		wait := 20 * time.Millisecond
		if i >= 98 {
			wait = 5 * time.Second
		}
		n.JobChanged(job(wire.StateAssigned, 0), job(wire.StateAccepted, wait), lifecycle.Event{})
		n.JobChanged(job(wire.StateRunning, 0), job(wire.StateFinished, 0), lifecycle.Event{})
	}
	about := func(got, want time.Duration) bool { return got > want*8/10 && got < want*12/10 }
	h := n.Hour()
	if h.Submitted != 100 || h.Ended != 100 || h.Succeeded != 100 || h.Accepted != 100 || passed.changes != 300 {
		t.Errorf("%+v, %d passed on", h.Accepted, passed.changes)
	}
	if !about(h.Median, 20*time.Millisecond) || !about(h.Tail, 5*time.Second) || h.Minutes[Minutes-1].Submitted != 100 {
		t.Errorf("median %v, tail %v", h.Median, h.Tail)
	}
	now = now.Add(59 * time.Minute)
	if h := n.Hour(); h.Submitted != 100 || h.Minutes[0].Ended != 100 {
		t.Errorf("after 59 minutes: %d", h.Submitted)
	}
	now = now.Add(time.Minute)
	if h := n.Hour(); h.Submitted != 0 || h.Accepted != 0 || h.Tail != 0 {
		t.Errorf("after an hour: %d", h.Submitted)
	}
	now = now.Add(1000 * time.Hour)
	if h := n.Hour(); h.Submitted != 0 {
		t.Errorf("later: %d", h.Submitted)
	}
}

// A wait is known within its class, whatever it is.
func TestClasses(t *testing.T) {
	t.Parallel()
	for wait := time.Millisecond; wait < 300*24*time.Hour; wait = wait*3/2 + 1 {
		if got := middle(classOf(wait)); got < wait*86/100 || got > wait*114/100 {
			t.Errorf("%v is shown as %v", wait, got)
		}
	}
	if classOf(-time.Second) != 0 || classOf(1<<62) != classes-1 {
		t.Error("a wait outside the classes")
	}
}
