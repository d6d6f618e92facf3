package dispatch

import (
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestJudge(t *testing.T) {
	o := Options{}.withDefaults()
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
		since  time.Time    // of the job where it stands, and of its last word
		seen   time.Time    // of the worker
		edit   func(j *jobEntry, a *workerEntry)
		want   verdict
	}{
		"an offer":                               {assigned, connected, fresh, fresh, nil, keep},
		"an offer that lapses":                   {assigned, connected, ago(o.AssignTimeout + 1), fresh, nil, putBack},
		"an offer to a paused worker":            {assigned, paused, fresh, fresh, nil, putBack},
		"an offer to a worker that is to leave":  {assigned, stopping, fresh, fresh, nil, putBack},
		"an offer to a worker that left":         {assigned, gone, fresh, fresh, nil, putBack},
		"an offer to a lost worker":              {assigned, lost, fresh, fresh, nil, putBack},
		"an offer to nobody known":               {assigned, store.Worker{}, fresh, fresh, nil, keep},
		"an offer to nobody known, for long":     {assigned, store.Worker{}, ago(o.AssignTimeout + 1), fresh, nil, putBack},
		"a second offer":                         {assigned, connected, fresh, fresh, other(assigned, "0"), putBack},
		"the first of two offers":                {assigned, connected, fresh, fresh, other(assigned, "9"), keep},
		"an offer beside a job":                  {assigned, connected, fresh, fresh, other(running, "9"), putBack},
		"an acceptance":                          {accepted, connected, ago(o.AssignTimeout + 1), fresh, nil, keep},
		"an acceptance that lapses":              {accepted, connected, ago(o.StartTimeout + 1), fresh, nil, putBack},
		"an acceptance by a paused worker":       {accepted, paused, fresh, fresh, nil, keep},
		"an acceptance, and the worker leaves":   {accepted, stopping, fresh, fresh, nil, keep},
		"an acceptance, and it leaves at once":   {accepted, forced, fresh, fresh, nil, putBack},
		"an acceptance of a lost worker":         {accepted, lost, fresh, fresh, nil, putBack},
		"an acceptance of a worker that left":    {accepted, gone, fresh, fresh, nil, putBack},
		"a job":                                  {running, connected, fresh, fresh, nil, keep},
		"a job of a paused worker":               {running, paused, fresh, fresh, nil, keep},
		"a job of a worker that is to leave":     {running, stopping, fresh, fresh, nil, keep},
		"a job of a worker to leave at once":     {running, forced, fresh, fresh, nil, cancelJob},
		"that is being cancelled already":        {running, forced, fresh, fresh, func(j *jobEntry, _ *workerEntry) { j.record.CancelRequested = true }, keep},
		"a job of a worker that left just now":   {running, gone, ago(o.LeaseTimeout + 1), fresh, nil, keep},
		"a job of a silent worker":               {running, lost, ago(o.LeaseTimeout + 1), ago(o.LeaseTimeout + 1), nil, lose},
		"the job speaks, the worker does not":    {running, connected, fresh, ago(time.Hour), nil, keep},
		"a job of nobody known":                  {running, store.Worker{}, ago(o.LeaseTimeout + 1), fresh, nil, lose},
		"the worker speaks, the job does not":    {running, connected, ago(o.SilenceTimeout + 1), fresh, nil, lose},
		"the worker pinged once":                 {running, connected, ago(time.Minute), fresh, pinged(ago(time.Minute), ago(time.Minute)), keep},
		"the worker has pinged for long":         {running, connected, ago(time.Minute), fresh, pinged(ago(o.AbsenceTimeout), now), lose},
		"a job whose time is not up":             {running, connected, fresh, fresh, timeout(time.Minute, ago(time.Second)), keep},
		"a job whose time is up":                 {running, connected, fresh, fresh, timeout(time.Minute, ago(time.Minute+1)), timeOut},
		"and that is known":                      {running, connected, fresh, fresh, func(j *jobEntry, a *workerEntry) { timeout(1, ago(2))(j, a); j.record.TimedOut = true }, keep},
		"a job whose time is up, and its worker": {running, connected, ago(o.LeaseTimeout + 1), ago(o.LeaseTimeout + 1), timeout(1, ago(2)), lose},
	} {
		t.Run(name, func(t *testing.T) {
			j := &jobEntry{id: "5", state: row.state, record: &store.Job{State: row.state}, since: row.since, heard: row.since}
			var a *workerEntry
			if row.worker.ID != "" {
				a = &workerEntry{record: row.worker, seen: row.seen, jobs: map[string]*jobEntry{j.id: j}}
			}
			if row.edit != nil {
				row.edit(j, a)
			}
			if got, reason := judge(j, a, now, o); got != row.want {
				t.Errorf("got verdict %d (%s), want %d", got, reason, row.want)
			}
		})
	}
}

func other(state wire.JobState, id string) func(*jobEntry, *workerEntry) {
	return func(_ *jobEntry, a *workerEntry) { a.jobs[id] = &jobEntry{id: id, state: state} }
}

func pinged(from, to time.Time) func(*jobEntry, *workerEntry) {
	return func(j *jobEntry, _ *workerEntry) {
		j.absent(from)
		j.absent(to)
	}
}

func timeout(d time.Duration, started time.Time) func(*jobEntry, *workerEntry) {
	return func(j *jobEntry, _ *workerEntry) { j.record.Timeout, j.record.StartedAt = d, started }
}
