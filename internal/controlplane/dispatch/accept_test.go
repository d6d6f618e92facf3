package dispatch

import (
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestAcceptingAgainIsTheSameAcceptance(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	p.attached(a)
	id := p.submit(record.Job{})
	var tokens []string
	for range lifecycle.MaxTokens + 1 {
		job, issued, err := p.Accept(t.Context(), a, id)
		must(t, err)
		if job.State != wire.StateAccepted || job.WorkerID != a {
			t.Fatalf("got %+v", job)
		}
		tokens = append(tokens, issued)
	}
	if _, err := p.AuthorizeJob(t.Context(), tokens[0]); err == nil {
		t.Error("the oldest token of too many still works")
	}
	for i, issued := range tokens[1:] {
		if _, err := p.AuthorizeJob(t.Context(), issued); err != nil {
			t.Errorf("token %d: %v", i+1, err)
		}
	}
	starting, other := p.grant(tokens[3]), p.grant(tokens[lifecycle.MaxTokens])
	p.startJob(starting)
	p.startJob(starting) // the response was lost
	// The token that started the job is the only one that is valid from now on.
	wantErr(t, other.Start(t.Context(), time.Time{}), ErrUnauthenticated)
	wantErr(t, other.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}), ErrUnauthenticated)
	for i, issued := range tokens {
		if _, err := p.AuthorizeJob(t.Context(), issued); (err == nil) != (i == 3) {
			t.Errorf("token %d after the start: %v", i, err)
		}
	}
	_, _, err := p.Accept(t.Context(), a, id)
	wantErr(t, err, ErrWrongState)
}

func TestOnlyTheAssignedWorkerCanAccept(t *testing.T) {
	p := newPlant(t, Options{})
	a, b := p.register("a"), p.register("b")
	p.attached(a)
	id := p.submit(record.Job{})
	_, _, err := p.Accept(t.Context(), b, id)
	wantErr(t, err, ErrWrongState)
	_, _, err = p.Accept(t.Context(), a, newID())
	wantErr(t, err, ErrNotFound)
	_, _, err = p.Accept(t.Context(), newID(), id)
	wantErr(t, err, ErrNotFound)
}

func TestAcquire(t *testing.T) {
	p := newPlant(t, Options{})
	worker, _, err := p.Register(t.Context(), record.Worker{Name: "a", Worker: workerstate.Worker{LastJob: true}})
	must(t, err)
	feed := p.attached(worker.ID)
	id := p.submit(record.Job{})
	p.silent(feed)
	for range 2 {
		job, issued, err := p.Acquire(t.Context(), worker.ID, id)
		must(t, err)
		if job.State != wire.StateAccepted || job.WorkerName != "a" {
			t.Fatalf("got %+v", job)
		}
		p.grant(issued)
	}
	_, _, err = p.Acquire(t.Context(), p.register("b"), id)
	wantErr(t, err, ErrWrongState)
}

// A worker acquires no job that the control plane would not assign to it.
func TestAcquireIsRefused(t *testing.T) {
	for name, row := range map[string]struct {
		opts  Options
		queue string
		do    func(p *plant, workerID string) error
		want  error
	}{
		"available": {want: nil},
		"paused": {do: func(p *plant, id string) error {
			_, err := p.Pause(p.t.Context(), id, "why", workerstate.ByOperator)
			return err
		}, want: ErrWrongState},
		"draining": {do: func(p *plant, id string) error {
			_, err := p.Stop(p.t.Context(), id, Stopping{})
			return err
		}, want: ErrWrongState},
		"stopped": {do: func(p *plant, id string) error {
			_, err := p.Stop(p.t.Context(), id, Stopping{Force: true})
			return err
		}, want: ErrWrongState},
		"left":                   {do: func(p *plant, id string) error { return p.Disconnect(p.t.Context(), id) }, want: ErrWrongState},
		"another queue":          {queue: "elsewhere", want: ErrWrongState},
		"another queue, allowed": {queue: "elsewhere", opts: Options{AcquireAnyQueue: true}, want: nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, row.opts)
			worker, _, err := p.Register(t.Context(), record.Worker{Name: "a", Worker: workerstate.Worker{LastJob: true}})
			must(t, err)
			id := p.submit(record.Job{Queue: row.queue})
			if row.do != nil {
				must(t, row.do(p, worker.ID))
			}
			_, _, err = p.Acquire(t.Context(), worker.ID, id)
			wantErr(t, err, row.want)
			if row.want != nil {
				p.state(id, wire.StateQueued)
			}
		})
	}
}

func TestEndsOfAJob(t *testing.T) {
	zero, seven := wire.FinishRequest{ExitStatus: "0"}, wire.FinishRequest{ExitStatus: "7", ChunksFailed: 2}
	canceled := wire.FinishRequest{ExitStatus: "-1", Signal: "SIGTERM", SignalReason: "cancel"}
	for name, row := range map[string]struct {
		do    func(p *plant, g JobGrant) error
		want  wire.JobState
		wants error
	}{
		"finished":                    {func(p *plant, g JobGrant) error { return g.Finish(p.t.Context(), seven) }, wire.StateFinished, nil},
		"finished twice":              {twice(zero, zero), wire.StateFinished, nil},
		"finished twice, differently": {twice(zero, seven), wire.StateFinished, ErrWrongState},
		"started after the end": {func(p *plant, g JobGrant) error {
			must(p.t, g.Finish(p.t.Context(), zero))
			return g.Start(p.t.Context(), time.Time{})
		}, wire.StateFinished, ErrUnauthenticated},
		"canceled": {func(p *plant, g JobGrant) error {
			p.cancel(g.JobID, "canceling")
			return g.Finish(p.t.Context(), canceled)
		}, wire.StateCanceled, nil},
		"ended by itself just before the cancellation": {func(p *plant, g JobGrant) error {
			p.cancel(g.JobID, "canceling")
			return g.Finish(p.t.Context(), zero)
		}, wire.StateFinished, nil},
		"ended by itself just before the timeout": {func(p *plant, g JobGrant) error {
			p.pass(11 * time.Second)
			return g.Finish(p.t.Context(), seven)
		}, wire.StateFinished, nil},
		"canceled twice": {func(p *plant, g JobGrant) error {
			p.cancel(g.JobID, "canceling")
			p.cancel(g.JobID, "canceling")
			must(p.t, g.Finish(p.t.Context(), canceled))
			_, err := p.Cancel(p.t.Context(), g.JobID, "")
			return err
		}, wire.StateCanceled, nil},
		"canceled too late": {func(p *plant, g JobGrant) error {
			must(p.t, g.Finish(p.t.Context(), zero))
			_, err := p.Cancel(p.t.Context(), g.JobID, "")
			return err
		}, wire.StateFinished, ErrWrongState},
		"timed out": {func(p *plant, g JobGrant) error {
			p.pass(11 * time.Second)
			p.jobState(g.JobID, "timing_out")
			return g.Finish(p.t.Context(), canceled)
		}, wire.StateCanceled, nil},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			a := p.register("a")
			g := p.run(a, record.Job{Timeout: 10 * time.Second})
			p.jobState(g.JobID, "running")
			if err := row.do(p, g); row.wants == nil {
				must(t, err)
			} else {
				wantErr(t, err, row.wants)
			}
			p.state(g.JobID, row.want)
			p.jobState(g.JobID, row.want)
			next := p.submit(record.Job{})
			p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: next})
		})
	}
}

func twice(first, second wire.FinishRequest) func(*plant, JobGrant) error {
	return func(p *plant, g JobGrant) error {
		must(p.t, g.Finish(p.t.Context(), first))
		return g.Finish(p.t.Context(), second)
	}
}

func (p *plant) cancel(id string, want wire.JobState) {
	p.t.Helper()
	_, err := p.Cancel(p.t.Context(), id, "because")
	must(p.t, err)
	p.jobState(id, want)
}

func (p *plant) jobState(id string, want wire.JobState) {
	p.t.Helper()
	got, err := p.JobState(p.t.Context(), id)
	must(p.t, err)
	if got != want {
		p.t.Fatalf("the reported state is %s, want %s", got, want)
	}
}

func TestCancelBeforeStart(t *testing.T) {
	for name, reach := range map[string]func(p *plant, workerID, jobID string) JobGrant{
		"queued": func(*plant, string, string) JobGrant { return JobGrant{} },
		"assigned": func(p *plant, workerID, jobID string) JobGrant {
			p.pings(workerID, wire.Instruction{Kind: wire.JobAssigned, JobID: jobID})
			return JobGrant{}
		},
		"accepted": func(p *plant, workerID, jobID string) JobGrant {
			p.pings(workerID, wire.Instruction{Kind: wire.JobAssigned, JobID: jobID})
			return p.accept(workerID, jobID)
		},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			a := p.register("a")
			id := p.submit(record.Job{})
			g := reach(p, a, id)
			p.cancel(id, "canceled")
			if g.JobID != "" {
				wantErr(t, g.Start(t.Context(), time.Time{}), ErrUnauthenticated)
			}
			_, _, err := p.Accept(t.Context(), a, id)
			wantErr(t, err, ErrWrongState)
			p.pings(a, wire.Instruction{Kind: wire.Resume})
		})
	}
}

func TestAGrantEndsWithItsAcceptance(t *testing.T) {
	p := newPlant(t, Options{})
	a, b := p.register("a"), p.register("b")
	id := p.submit(record.Job{})
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	old := p.accept(a, id)
	must(t, p.Disconnect(t.Context(), a))
	p.state(id, wire.StateQueued)
	p.pings(b, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	g := p.accept(b, id)
	wantErr(t, old.Start(t.Context(), time.Time{}), ErrUnauthenticated)
	wantErr(t, old.Finish(t.Context(), wire.FinishRequest{}), ErrUnauthenticated)
	p.startJob(g)
	wantErr(t, old.Start(t.Context(), time.Time{}), ErrUnauthenticated)
}

func TestAWorkerThatFinishesItsLastJobIsAssignedNoOther(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	feed := p.attached(a)
	id := p.submit(record.Job{})
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	g := p.accept(a, id)
	p.startJob(g)
	next := p.submit(record.Job{})
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0", IgnoreAgent: true}))
	p.silent(feed)
	p.pings(a, wire.Instruction{Kind: wire.Resume})
	p.state(next, wire.StateQueued)
}

func TestTokensAreRefused(t *testing.T) {
	p := newPlant(t, Options{})
	worker, session, err := p.Register(t.Context(), record.Worker{Name: "a"})
	must(t, err)
	id := p.submit(record.Job{})
	p.pings(worker.ID, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	_, job, err := p.Accept(t.Context(), worker.ID, id)
	must(t, err)
	registered, err := p.AuthenticateSession(t.Context(), session)
	got := registered.WorkerID
	must(t, err)
	if got != worker.ID {
		t.Errorf("the session is of %s, want %s", got, worker.ID)
	}
	other, _ := token.Session.New(newID())
	forged, _ := token.Session.New(worker.ID)
	forgedJob, _ := token.Job.New(id)
	for _, text := range []string{"", "x", other, forged, job, session[:len(session)-1], session + "x", string(token.Session) + worker.ID, string(token.Session) + worker.ID + "_"} {
		_, err := p.AuthenticateSession(t.Context(), text)
		wantErr(t, err, ErrUnauthenticated)
	}
	for _, text := range []string{"", session, forgedJob, job[:len(job)-1], string(token.Job) + id + "_"} {
		_, err := p.AuthorizeJob(t.Context(), text)
		wantErr(t, err, ErrUnauthenticated)
	}
}
