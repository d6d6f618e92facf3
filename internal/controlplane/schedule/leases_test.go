package schedule

import (
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestDecide(t *testing.T) {
	o := Terms{}.WithDefaults()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	fresh := ago(time.Second)
	in := func(state workerstate.State) record.Worker {
		return record.Worker{ID: "a", Worker: workerstate.Worker{State: state}}
	}
	connected, paused, stopping, forced := in(workerstate.Available), in(workerstate.Paused), in(workerstate.Draining), in(workerstate.Stopped)
	lost, gone := in(workerstate.Lost), in(workerstate.Left)
	lost.Was = workerstate.Available
	revoked := in(workerstate.Left)
	revoked.Revoked, revoked.StopReason = true, "stolen"
	const nothing = lifecycle.Submitted // a stored job never has this event
	const (
		assigned = wire.StateAssigned
		accepted = wire.StateAccepted
		running  = wire.StateRunning
	)
	for name, row := range map[string]struct {
		state  wire.JobState
		worker record.Worker // the zero one is not known
		since  time.Time     // of the job in its state, and of its last report
		seen   time.Time     // of the worker
		edit   func(j *jobEntry, a *workerEntry)
		want   lifecycle.EventKind
	}{
		"an offer":                                     {assigned, connected, fresh, fresh, nil, nothing},
		"an offer that expires":                        {assigned, connected, ago(o.AssignTimeout + 1), fresh, nil, lifecycle.NotAccepted},
		"an offer to a paused worker":                  {assigned, paused, fresh, fresh, nil, lifecycle.WorkerPaused},
		"an offer to a draining worker":                {assigned, stopping, fresh, fresh, nil, lifecycle.WorkerStopping},
		"an offer to a worker that left":               {assigned, gone, fresh, fresh, nil, lifecycle.WorkerLeft},
		"an offer to a revoked worker":                 {assigned, revoked, fresh, fresh, nil, lifecycle.WorkerRevoked},
		"an offer to a lost worker":                    {assigned, lost, fresh, fresh, nil, lifecycle.WorkerLost},
		"an offer to an unknown worker":                {assigned, record.Worker{}, fresh, fresh, nil, nothing},
		"an offer to an unknown worker, for long":      {assigned, record.Worker{}, ago(o.AssignTimeout + 1), fresh, nil, lifecycle.WorkerUnknown},
		"a second offer":                               {assigned, connected, fresh, fresh, other(assigned, "0"), lifecycle.WorkerBusy},
		"the first of two offers":                      {assigned, connected, fresh, fresh, other(assigned, "9"), nothing},
		"an offer beside a job":                        {assigned, connected, fresh, fresh, other(running, "9"), lifecycle.WorkerBusy},
		"an acceptance":                                {accepted, connected, ago(o.AssignTimeout + 1), fresh, nil, nothing},
		"an acceptance that expires":                   {accepted, connected, ago(o.StartTimeout + 1), fresh, nil, lifecycle.NotStarted},
		"an acceptance by a paused worker":             {accepted, paused, fresh, fresh, nil, nothing},
		"an acceptance by a draining worker":           {accepted, stopping, fresh, fresh, nil, nothing},
		"an acceptance by a worker stopped with force": {accepted, forced, fresh, fresh, nil, lifecycle.WorkerStopped},
		"an acceptance of a lost worker":               {accepted, lost, fresh, fresh, nil, lifecycle.WorkerLost},
		"an acceptance of a worker that left":          {accepted, gone, fresh, fresh, nil, lifecycle.WorkerLeft},
		"an acceptance of a revoked worker":            {accepted, revoked, fresh, fresh, nil, lifecycle.WorkerRevoked},
		"a job of a revoked worker":                    {running, revoked, fresh, fresh, nil, lifecycle.WorkerRevoked},
		"a job":                                        {running, connected, fresh, fresh, nil, nothing},
		"a job of a paused worker":                     {running, paused, fresh, fresh, nil, nothing},
		"a job of a draining worker":                   {running, stopping, fresh, fresh, nil, nothing},
		"a job of a worker stopped with force":         {running, forced, fresh, fresh, nil, lifecycle.WorkerStopped},
		"that is being canceled already":               {running, forced, fresh, fresh, func(j *jobEntry, _ *workerEntry) { j.record.CancelRequested = true }, nothing},
		"a job of a worker that left just now":         {running, gone, ago(o.LeaseTimeout + 1), fresh, nil, nothing},
		"a job of a silent worker":                     {running, lost, ago(o.LeaseTimeout + 1), ago(o.LeaseTimeout + 1), nil, lifecycle.Silent},
		"the job is reported, the worker is silent":    {running, connected, fresh, ago(time.Hour), nil, nothing},
		"a job of an unknown worker":                   {running, record.Worker{}, ago(o.LeaseTimeout + 1), fresh, nil, lifecycle.Silent},
		"the worker is alive, the job is not reported": {running, connected, ago(o.SilenceTimeout + 1), fresh, nil, lifecycle.Silent},
		"the worker pinged once":                       {running, connected, ago(time.Minute), fresh, pinged(ago(time.Minute), ago(time.Minute)), nothing},
		"the worker has pinged for long":               {running, connected, ago(time.Minute), fresh, pinged(ago(o.AbsenceTimeout), now), lifecycle.Absent},
		"a job within its timeout":                     {running, connected, fresh, fresh, timeout(time.Minute, ago(time.Second)), nothing},
		"an overdue job":                               {running, connected, fresh, fresh, timeout(time.Minute, ago(time.Minute+1)), lifecycle.TimedOut},
		"an overdue job that is marked already":        {running, connected, fresh, fresh, func(j *jobEntry, a *workerEntry) { timeout(1, ago(2))(j, a); j.record.TimedOut = true }, nothing},
		"a job that was started long ago by another clock": {running, connected, fresh, fresh, func(j *jobEntry, _ *workerEntry) {
			j.record.Timeout, j.started, j.record.StartedAt = time.Minute, fresh, ago(2*time.Hour)
		}, nothing},
		"a job that its agent holds, of a silent worker":        {running, lost, ago(o.LeaseTimeout + 1), ago(o.LeaseTimeout + 1), held(fresh), nothing},
		"a job that its agent holds without a report":           {running, connected, ago(o.SilenceTimeout + 1), fresh, held(fresh), nothing},
		"a job that its agent holds without a report, for long": {running, connected, ago(o.HoldTimeout + 1), fresh, held(fresh), lifecycle.Silent},
		"a job whose agent held it, and is silent":              {running, lost, ago(time.Hour), ago(time.Hour), held(ago(o.LeaseTimeout + 1)), lifecycle.Silent},
		"a job that is held, of a revoked worker":               {running, revoked, fresh, fresh, held(fresh), lifecycle.WorkerRevoked},
		"an overdue job of a silent worker":                     {running, connected, ago(o.LeaseTimeout + 1), ago(o.LeaseTimeout + 1), timeout(1, ago(2)), lifecycle.Silent},
	} {
		t.Run(name, func(t *testing.T) {
			j := &jobEntry{id: "5", state: row.state, record: &record.Job{Job: lifecycle.Job{State: row.state}}, since: row.since, reported: row.since}
			var a *workerEntry
			if row.worker.ID != "" {
				a = &workerEntry{record: row.worker, seen: row.seen, jobs: map[string]*jobEntry{j.id: j}}
			}
			if row.edit != nil {
				row.edit(j, a)
			}
			if got, _ := decide(j, a, now, o); got.Kind != row.want {
				t.Errorf("got %v (%s), want %v", got.Kind, got.Reason, row.want)
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

func held(at time.Time) func(*jobEntry, *workerEntry) {
	return func(j *jobEntry, _ *workerEntry) { j.held = at }
}

func timeout(d time.Duration, started time.Time) func(*jobEntry, *workerEntry) {
	return func(j *jobEntry, _ *workerEntry) { j.record.Timeout, j.started = d, started }
}
