package schedule

import (
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestDecide(t *testing.T) {
	o := Terms{}.WithDefaults()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	fresh := ago(time.Second)
	connected := store.Worker{ID: "a", State: store.WorkerConnected}
	with := func(edit func(*store.Worker)) store.Worker {
		a := connected
		edit(&a)
		return a
	}
	paused := with(func(a *store.Worker) { a.Paused = true })
	stopping := with(func(a *store.Worker) { a.Stopping = true })
	forced := with(func(a *store.Worker) { a.Stopping, a.StopForce = true, true })
	lost := with(func(a *store.Worker) { a.State = store.WorkerLost })
	gone := with(func(a *store.Worker) { a.State = store.WorkerDisconnected })
	const (
		assigned = wire.StateAssigned
		accepted = wire.StateAccepted
		running  = wire.StateRunning
	)
	for name, row := range map[string]struct {
		state  wire.JobState
		worker store.Worker // the zero one is not known
		since  time.Time    // of the job in its state, and of its last report
		seen   time.Time    // of the worker
		edit   func(j *jobEntry, a *workerEntry)
		want   Action
	}{
		"an offer":                                     {assigned, connected, fresh, fresh, nil, Keep},
		"an offer that expires":                        {assigned, connected, ago(o.AssignTimeout + 1), fresh, nil, Requeue},
		"an offer to a paused worker":                  {assigned, paused, fresh, fresh, nil, Requeue},
		"an offer to a draining worker":                {assigned, stopping, fresh, fresh, nil, Requeue},
		"an offer to a worker that left":               {assigned, gone, fresh, fresh, nil, Requeue},
		"an offer to a lost worker":                    {assigned, lost, fresh, fresh, nil, Requeue},
		"an offer to an unknown worker":                {assigned, store.Worker{}, fresh, fresh, nil, Keep},
		"an offer to an unknown worker, for long":      {assigned, store.Worker{}, ago(o.AssignTimeout + 1), fresh, nil, Requeue},
		"a second offer":                               {assigned, connected, fresh, fresh, other(assigned, "0"), Requeue},
		"the first of two offers":                      {assigned, connected, fresh, fresh, other(assigned, "9"), Keep},
		"an offer beside a job":                        {assigned, connected, fresh, fresh, other(running, "9"), Requeue},
		"an acceptance":                                {accepted, connected, ago(o.AssignTimeout + 1), fresh, nil, Keep},
		"an acceptance that expires":                   {accepted, connected, ago(o.StartTimeout + 1), fresh, nil, Requeue},
		"an acceptance by a paused worker":             {accepted, paused, fresh, fresh, nil, Keep},
		"an acceptance by a draining worker":           {accepted, stopping, fresh, fresh, nil, Keep},
		"an acceptance by a worker stopped with force": {accepted, forced, fresh, fresh, nil, Requeue},
		"an acceptance of a lost worker":               {accepted, lost, fresh, fresh, nil, Requeue},
		"an acceptance of a worker that left":          {accepted, gone, fresh, fresh, nil, Requeue},
		"a job":                                        {running, connected, fresh, fresh, nil, Keep},
		"a job of a paused worker":                     {running, paused, fresh, fresh, nil, Keep},
		"a job of a draining worker":                   {running, stopping, fresh, fresh, nil, Keep},
		"a job of a worker stopped with force":         {running, forced, fresh, fresh, nil, Cancel},
		"that is being canceled already":               {running, forced, fresh, fresh, func(j *jobEntry, _ *workerEntry) { j.record.CancelRequested = true }, Keep},
		"a job of a worker that left just now":         {running, gone, ago(o.LeaseTimeout + 1), fresh, nil, Keep},
		"a job of a silent worker":                     {running, lost, ago(o.LeaseTimeout + 1), ago(o.LeaseTimeout + 1), nil, MarkLost},
		"the job is reported, the worker is silent":    {running, connected, fresh, ago(time.Hour), nil, Keep},
		"a job of an unknown worker":                   {running, store.Worker{}, ago(o.LeaseTimeout + 1), fresh, nil, MarkLost},
		"the worker is alive, the job is not reported": {running, connected, ago(o.SilenceTimeout + 1), fresh, nil, MarkLost},
		"the worker pinged once":                       {running, connected, ago(time.Minute), fresh, pinged(ago(time.Minute), ago(time.Minute)), Keep},
		"the worker has pinged for long":               {running, connected, ago(time.Minute), fresh, pinged(ago(o.AbsenceTimeout), now), MarkLost},
		"a job within its timeout":                     {running, connected, fresh, fresh, timeout(time.Minute, ago(time.Second)), Keep},
		"an overdue job":                               {running, connected, fresh, fresh, timeout(time.Minute, ago(time.Minute+1)), TimeOut},
		"an overdue job that is marked already":        {running, connected, fresh, fresh, func(j *jobEntry, a *workerEntry) { timeout(1, ago(2))(j, a); j.record.TimedOut = true }, Keep},
		"an overdue job of a silent worker":            {running, connected, ago(o.LeaseTimeout + 1), ago(o.LeaseTimeout + 1), timeout(1, ago(2)), MarkLost},
	} {
		t.Run(name, func(t *testing.T) {
			j := &jobEntry{id: "5", state: row.state, record: &store.Job{State: row.state}, since: row.since, reported: row.since}
			var a *workerEntry
			if row.worker.ID != "" {
				a = &workerEntry{record: row.worker, seen: row.seen, jobs: map[string]*jobEntry{j.id: j}}
			}
			if row.edit != nil {
				row.edit(j, a)
			}
			if got, reason := decide(j, a, now, o); got != row.want {
				t.Errorf("got %q (%s), want %q", got, reason, row.want)
			}
		})
	}
}

func other(state wire.JobState, id string) func(*jobEntry, *workerEntry) {
	return func(_ *jobEntry, a *workerEntry) { a.jobs[id] = &jobEntry{id: id, state: state} }
}

func pinged(from, to time.Time) func(*jobEntry, *workerEntry) {
	return func(j *jobEntry, _ *workerEntry) {
		j.pinged(from)
		j.pinged(to)
	}
}

func timeout(d time.Duration, started time.Time) func(*jobEntry, *workerEntry) {
	return func(j *jobEntry, _ *workerEntry) { j.record.Timeout, j.record.StartedAt = d, started }
}
