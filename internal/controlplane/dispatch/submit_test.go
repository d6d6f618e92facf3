package dispatch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestBadFieldsAreNamed(t *testing.T) {
	p := newPlant(t, Options{})
	ok := []string{"true"}
	for _, row := range []struct {
		field string
		s     record.Job
	}{
		{"command", record.Job{}},
		{"command", record.Job{Command: []string{""}}},
		{"command", record.Job{Command: []string{"a\x00"}}},
		{"command", record.Job{Command: []string{strings.Repeat("x", MaxJobSize+1)}}},
		{"env", record.Job{Command: ok, Env: map[string]string{"": "x"}}},
		{"env", record.Job{Command: ok, Env: map[string]string{"A=B": "x"}}},
		{"env", record.Job{Command: ok, Env: map[string]string{"A": "x\x00"}}},
		{"queue", record.Job{Command: ok, Queue: "a b"}},
		{"queue", record.Job{Command: ok, Queue: strings.Repeat("q", maxName+1)}},
		{"tags", record.Job{Command: ok, Tags: []string{"os"}}},
		{"tags", record.Job{Command: ok, Tags: make([]string, wire.MaxRequiredTags+1)}},
		{"timeout", record.Job{Command: ok, Timeout: -1}},
		{"limits", record.Job{Command: ok, Limits: wire.Limits{Memory: 1}}},
		{"limits", record.Job{Command: ok, Limits: wire.Limits{CPUs: -1}}},
		{"limits", record.Job{Command: ok, Limits: wire.Limits{PIDs: -1}}},
		{"retries", record.Job{Command: ok, Job: lifecycle.Job{RetriesLeft: -1}}},
		{"retries", record.Job{Command: ok, Job: lifecycle.Job{RetriesLeft: wire.MaxRetries + 1}}},
		{"idempotency_key", record.Job{Command: ok, IdempotencyKey: strings.Repeat("k", MaxIdempotencyKey+1)}},
	} {
		_, _, err := p.Submit(t.Context(), row.s)
		var invalid *record.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != row.field || !errors.Is(err, ErrInvalid) {
			t.Errorf("got %v, want %s refused", err, row.field)
		}
	}
	for _, row := range []struct {
		field string
		r     record.Worker
	}{
		{"name", record.Worker{}},
		{"queue", record.Worker{Name: "a", Tags: []string{"queue="}}},
		{"meta_data", record.Worker{Name: "a", Tags: []string{"queue=a", "queue=b"}}},
		{"meta_data", record.Worker{Name: "a", Tags: make([]string, wire.MaxWorkerTags+1)}},
	} {
		_, _, err := p.Register(t.Context(), row.r)
		var invalid *record.InvalidError
		if !errors.As(err, &invalid) || invalid.Field != row.field {
			t.Errorf("got %v, want %s refused", err, row.field)
		}
	}
}

func TestTheKeyOfADifferentJobIsRefused(t *testing.T) {
	p := newPlant(t, Options{})
	first := record.Job{Command: []string{"echo", "1"}, Env: map[string]string{"A": "1"}, Tags: []string{"a=1", "b=2"}, IdempotencyKey: "k"}
	job, _, err := p.Submit(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		name string
		edit func(*record.Job)
		same bool
	}{
		{"as it was", func(*record.Job) {}, true},
		{"with the default queue named", func(s *record.Job) { s.Queue = wire.DefaultQueue }, true},
		{"of higher priority", func(s *record.Job) { s.Priority = 1 }, true},
		{"another command", func(s *record.Job) { s.Command = []string{"echo", "2"} }, false},
		{"another environment", func(s *record.Job) { s.Env = map[string]string{"A": "2"} }, false},
		{"another queue", func(s *record.Job) { s.Queue = "other" }, false},
		{"the same tags in another order", func(s *record.Job) { s.Tags = []string{"b=2", "a=1"} }, true},
		{"more tags", func(s *record.Job) { s.Tags = []string{"a=1", "b=2", "c=3"} }, false},
		{"no tags", func(s *record.Job) { s.Tags = nil }, false},
	} {
		again := first
		row.edit(&again)
		got, existed, err := p.Submit(t.Context(), again)
		var used *KeyInUseError
		switch {
		case row.same && (err != nil || !existed || got.ID != job.ID):
			t.Errorf("%s: got %s, %v, %v; want job %s", row.name, got.ID, existed, err, job.ID)
		case !row.same && (!errors.Is(err, ErrKeyInUse) || !errors.As(err, &used) || used.JobID != job.ID):
			t.Errorf("%s: got %v, want it refused with job %s", row.name, err, job.ID)
		}
	}
}

func TestTheSameKeyIsTheSameJob(t *testing.T) {
	p := newPlant(t, Options{})
	const submitters = 8
	ids := make([]string, submitters)
	created := make([]bool, submitters)
	var all sync.WaitGroup
	for i := range submitters {
		all.Go(func() {
			job, existed, err := p.Submit(t.Context(), record.Job{Command: []string{"true"}, IdempotencyKey: "k"})
			if err != nil {
				t.Error(err)
			}
			ids[i], created[i] = job.ID, !existed
		})
	}
	all.Wait()
	n := 0
	for i := range submitters {
		if ids[i] != ids[0] {
			t.Errorf("two jobs: %s and %s", ids[i], ids[0])
		}
		if created[i] {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d submitters created the job, want 1", n)
	}
	p.restart()
	job, existed, err := p.Submit(t.Context(), record.Job{Command: []string{"true"}, IdempotencyKey: "k"})
	must(t, err)
	if !existed || job.ID != ids[0] || job.Command[0] != "true" {
		t.Errorf("got %+v, existed %v", job, existed)
	}
	if other := p.submit(record.Job{IdempotencyKey: "k2"}); other == ids[0] {
		t.Error("another key is the same job")
	}
}

func TestAKeyWithoutItsJob(t *testing.T) {
	p := newPlant(t, Options{})
	for name, row := range map[string]struct {
		key  store.Key
		same bool
	}{
		"the process ended between the two writes": {store.Key{JobID: newID()}, true},
		"the job has expired":                      {store.Key{JobID: newID(), Over: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			must(t, p.st.PutKey(t.Context(), name, row.key))
			job, existed, err := p.Submit(t.Context(), record.Job{Command: []string{"true"}, IdempotencyKey: name})
			must(t, err)
			if existed || (job.ID == row.key.JobID) != row.same {
				t.Errorf("got %s, existed %v; the key named %s", job.ID, existed, row.key.JobID)
			}
			again, existed, err := p.Submit(t.Context(), record.Job{Command: []string{"true"}, IdempotencyKey: name})
			must(t, err)
			if !existed || again.ID != job.ID {
				t.Errorf("again: got %s, existed %v", again.ID, existed)
			}
		})
	}
}

func TestAJobIsAssignedWhenItIsSubmitted(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	feed := p.attached(a)
	job, _, err := p.Submit(t.Context(), record.Job{Command: []string{"true"}})
	must(t, err)
	if job.State != wire.StateAssigned || job.WorkerID != a || job.WorkerName != "a" {
		t.Errorf("got %+v", job)
	}
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: job.ID})
}

func TestJobsArePaged(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	var ids []string
	for i := range 7 {
		ids = append(ids, p.submit(record.Job{Queue: []string{"default", "other"}[i%2]}))
	}
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: ids[0]})
	p.cancel(ids[3], "canceled")
	for name, row := range map[string]struct {
		filter schedule.JobFilter
		size   int
		want   []int
	}{
		"all":            {schedule.JobFilter{}, 3, []int{6, 5, 4, 3, 2, 1, 0}},
		"exactly a page": {schedule.JobFilter{}, 7, []int{6, 5, 4, 3, 2, 1, 0}},
		"a queue":        {schedule.JobFilter{Queue: "other"}, 2, []int{5, 3, 1}},
		"states":         {schedule.JobFilter{States: []wire.JobState{wire.StateCanceled, wire.StateAssigned}}, 1, []int{3, 0}},
		"a worker":       {schedule.JobFilter{WorkerID: a}, 0, []int{0}},
		"nothing":        {schedule.JobFilter{Queue: "none"}, 0, nil},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			page := schedule.Page{Size: row.size, Count: true}
			for {
				listed, err := p.Jobs(t.Context(), row.filter, page)
				must(t, err)
				if listed.Total != len(row.want) || listed.Earlier != len(got) {
					t.Errorf("a page says %d jobs of %d are before it, want %d of %d", listed.Earlier, listed.Total, len(got), len(row.want))
				}
				for _, job := range listed.Jobs {
					got = append(got, job.ID)
				}
				if page.Token = listed.Next; page.Token == "" {
					break
				}
			}
			var want []string
			for _, i := range row.want {
				want = append(want, ids[i])
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
	for _, row := range []struct {
		f schedule.JobFilter
		p schedule.Page
	}{
		{schedule.JobFilter{}, schedule.Page{Size: -1}},
		{schedule.JobFilter{}, schedule.Page{Size: schedule.MaxPageSize + 1}},
		{schedule.JobFilter{}, schedule.Page{Token: "x"}},
		{schedule.JobFilter{States: []wire.JobState{"x"}}, schedule.Page{}},
		{schedule.JobFilter{WorkerID: "x"}, schedule.Page{}},
	} {
		_, err := p.Jobs(t.Context(), row.f, row.p)
		wantErr(t, err, ErrInvalid)
	}
}

// A list does not decode the history of its jobs, and what it reads does not take the
// place of the records that are changed.
func TestAListLeavesHistoriesAlone(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("a"), record.Job{})
	before := p.job(g.JobID).History
	listed, err := p.Jobs(t.Context(), schedule.JobFilter{}, schedule.Page{})
	must(t, err)
	if n := len(listed.Jobs[0].History.Entries); n > 0 {
		t.Errorf("a listed job has a history of %d entries", n)
	}
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	if after := p.job(g.JobID).History; len(after.Entries) != len(before.Entries)+1 {
		t.Errorf("the history has %d entries after %d and an end", len(after.Entries), len(before.Entries))
	}
}

// A page ends when its records have MaxPageBytes, and its token continues the list.
func TestAPageIsBoundedInBytes(t *testing.T) {
	p := newPlant(t, Options{})
	large := strings.Repeat("x", MaxJobSize/2)
	var want, got []string
	for range 40 {
		want = append(want, p.submit(record.Job{Env: map[string]string{"LARGE": large}}))
	}
	pages := 0
	for page := (schedule.Page{Size: 100, OldestFirst: true}); ; pages++ {
		listed, err := p.Jobs(t.Context(), schedule.JobFilter{}, page)
		must(t, err)
		// The records that are read at a time are few at first.
		if most := schedule.MaxPageBytes/len(large) + 2*minListRead; len(listed.Jobs) > most {
			t.Fatalf("a page has %d large jobs, want at most %d", len(listed.Jobs), most)
		}
		for _, job := range listed.Jobs {
			got = append(got, job.ID)
		}
		if page.Token = listed.Next; page.Token == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || pages == 0 {
		t.Errorf("%d pages have %v, want %v in several", pages+1, got, want)
	}
}

// Workers with large records do not fill a page, and can be listed from the oldest.
func TestAPageOfWorkersIsBoundedInBytes(t *testing.T) {
	x := schedule.New()
	var want, got []string
	for i := range 100 {
		w := record.Worker{ID: newID(), Revision: uint64(i + 1), Tags: []string{strings.Repeat("x", 200<<10)}}
		w.Worker = workerstate.Worker{State: workerstate.Available}
		x.ApplyWorker(w, time.Now())
		want = append(want, w.ID)
	}
	for page := (schedule.Page{Size: 1000, OldestFirst: true}); ; {
		listed, err := x.Workers(schedule.WorkerFilter{}, page)
		must(t, err)
		if len(listed.Workers) > schedule.MaxPageBytes/(200<<10)+1 || listed.Total != len(want) || listed.Earlier != len(got) {
			t.Fatalf("after %d workers a page has %d large ones, after %d of %d", len(got), len(listed.Workers), listed.Earlier, listed.Total)
		}
		for _, w := range listed.Workers {
			got = append(got, w.ID)
		}
		if page.Token = listed.Next; page.Token == "" {
			break
		}
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("listed %v, want %v", got, want)
	}
}

// A worker is found by its name also if that looks like an ID, unless a worker has
// that ID.
func TestAWorkerNamedLikeAnID(t *testing.T) {
	p := newPlant(t, Options{})
	const name = "018f4e8e-0000-7000-8000-00000000abcd"
	id := p.register(name)
	other := p.register(id) // its name is the ID of the first one
	for ref, want := range map[string]string{name: id, id: id, other: other} {
		if got, err := p.Pause(t.Context(), ref, "why", workerstate.ByOperator); err != nil || got.ID != want {
			t.Errorf("pausing %s paused %s, %v; want %s", ref, got.ID, err, want)
		}
	}
	_, err := p.Pause(t.Context(), "018f4e8e-0000-7000-8000-00000000ffff", "why", workerstate.ByOperator)
	wantErr(t, err, ErrNotFound)
}

func TestWorkersArePaged(t *testing.T) {
	p := newPlant(t, Options{})
	var ids []string
	for i := range 5 {
		worker, _, err := p.Register(t.Context(), record.Worker{Name: fmt.Sprint("w", i), Tags: []string{"os=linux", "queue=q"}})
		must(t, err)
		ids = append(ids, worker.ID)
	}
	must(t, p.Disconnect(t.Context(), ids[1]))
	p.attached(ids[2])
	id := p.submit(record.Job{Queue: "q"})
	var got []string
	page := schedule.Page{Size: 2}
	for {
		listed, err := p.Workers(t.Context(), schedule.WorkerFilter{Queue: "q"}, page)
		must(t, err)
		if listed.Total != 4 || listed.Earlier != len(got) {
			t.Errorf("a page says %d workers of %d are before it, want %d of 4", listed.Earlier, listed.Total, len(got))
		}
		for _, a := range listed.Workers {
			got = append(got, a.ID)
			if a.Streaming != (a.ID == ids[2]) || (a.JobID == id) != (a.ID == ids[2]) || a.LastSeenAt.IsZero() {
				t.Errorf("got %+v", a)
			}
		}
		if page.Token = listed.Next; page.Token == "" {
			break
		}
	}
	if want := []string{ids[4], ids[3], ids[2], ids[0]}; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	_, err := p.Workers(t.Context(), schedule.WorkerFilter{}, schedule.Page{Token: "x"})
	wantErr(t, err, ErrInvalid)
}

func TestWaitingReason(t *testing.T) {
	p := newPlant(t, Options{})
	why := func(want string) {
		t.Helper()
		page, err := p.Jobs(t.Context(), schedule.JobFilter{States: []wire.JobState{wire.StateQueued}}, schedule.Page{Size: 1})
		must(t, err)
		if got := p.WaitingReason(page.Jobs[0]); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	first := p.submit(record.Job{})
	p.submit(record.Job{})
	why("no worker is connected in queue default")
	a := p.register("a")
	why("a worker in queue default is free, and will be given the job when it polls")
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: first})
	why("the one worker in queue default is busy")
	b, c := p.register("b"), p.register("c")
	for _, id := range []string{b, c} {
		_, err := p.Pause(t.Context(), id, "why", workerstate.ByOperator)
		must(t, err)
	}
	why("no worker in queue default is free: 1 busy, 2 paused")
	must(t, p.Disconnect(t.Context(), a))
	why("all 2 workers in queue default are paused")
	for _, id := range []string{b, c} {
		_, err := p.Stop(t.Context(), id, Stopping{})
		must(t, err)
	}
	why("all 2 workers in queue default are taking no more work")
	if got := p.WaitingReason(record.Job{Job: lifecycle.Job{State: wire.StateRunning}}); got != "" {
		t.Errorf("a running job waits: %q", got)
	}
}

// A worker for which an assignment may be stored waits for the next sweep, and one for which
// none was sent to the store does not.
func TestAWorkerAfterAFailedSubmission(t *testing.T) {
	for name, row := range map[string]struct {
		cause error
		free  bool
	}{
		"no response": {store.ErrUnavailable, false},
		"not asked":   {fmt.Errorf("%w: %w", store.ErrUnavailable, &store.OutageError{}), true},
		"refused":     {store.ErrConflict, true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			feed := p.attached(p.register("a"))
			var c *schedule.Claim
			p.records.view(func(x *schedule.Index) { c = x.ClaimIdle(wire.DefaultQueue, nil) })
			p.settle(t.Context(), c, row.cause)
			id := p.submit(record.Job{})
			if !row.free {
				p.silent(feed)
				p.pass(time.Second)
			}
			p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
		})
	}
}

// A caller that leaves while its submission is stored, whenever that is, leaves no key
// without a job.
func TestNoKeyIsLeftBehindByACallerThatLeaves(t *testing.T) {
	p := newPlant(t, Options{})
	keys := 0
	for n := range 150 {
		ctx, leave := context.WithTimeout(t.Context(), time.Duration(n)*20*time.Microsecond)
		key := fmt.Sprint("key ", n)
		_, _, _ = p.Submit(ctx, record.Job{Command: []string{"true"}, IdempotencyKey: key}) // the caller is not there any more
		leave()
		stored, err := p.st.Key(t.Context(), key)
		if errors.Is(err, ErrNotFound) {
			continue
		}
		must(t, err)
		keys++
		if _, err := p.st.Job(t.Context(), stored.JobID); err != nil {
			t.Errorf("who leaves after %v leaves a key without a job: %v", time.Duration(n)*20*time.Microsecond, err)
		}
	}
	if keys == 0 {
		t.Error("no key was stored: nothing was tested")
	}
}
