package dispatch

import (
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestAnOfferExpires(t *testing.T) {
	p := newPlant(t, Options{})
	a, b := p.register("a"), p.register("b")
	feed := p.attached(a)
	id := p.submit(record.Job{})
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	other := p.attached(b)
	p.passBeating(schedule.DefaultAssignTimeout, a)
	p.silent(other)
	p.pass(2 * time.Second)
	// The other worker has been idle for longer.
	p.wants(other, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	_, _, err := p.Accept(t.Context(), a, id)
	wantErr(t, err, ErrWrongState)
	p.accept(b, id)
}

func TestAnAcceptanceExpires(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	id := p.submit(record.Job{})
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	g := p.accept(a, id)
	p.passBeating(schedule.DefaultStartTimeout, a)
	p.state(id, wire.StateAccepted)
	p.pass(2 * time.Second)
	p.state(id, wire.StateQueued)
	wantErr(t, g.Start(t.Context(), time.Time{}), ErrUnauthenticated)
}

func TestSilentWorkersAreLost(t *testing.T) {
	p := newPlant(t, Options{})
	silent, waiting, alive := p.register("silent"), p.register("waiting"), p.register("alive")
	feed := p.attached(silent)
	id := p.submit(record.Job{})
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	g := p.accept(silent, id)
	p.startJob(g)
	accepted := p.submit(record.Job{})
	p.pings(waiting, wire.Instruction{Kind: wire.JobAssigned, JobID: accepted})
	acceptance := p.accept(waiting, accepted)

	p.passBeating(schedule.DefaultLeaseTimeout, alive)
	p.workerState(silent, workerstate.Available)
	p.passBeating(2*time.Second, alive)
	p.workerState(silent, workerstate.Lost)
	p.workerState(waiting, workerstate.Lost)
	p.workerState(alive, workerstate.Available)
	p.state(id, wire.StateLost)
	p.state(accepted, wire.StateQueued)
	for _, g := range []JobGrant{g, acceptance} {
		wantErr(t, g.Start(t.Context(), time.Time{}), ErrUnauthenticated)
	}
	wantErr(t, acceptance.Finish(t.Context(), wire.FinishRequest{}), ErrUnauthenticated)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "3"})) // ends the lost job
	p.state(id, wire.StateFinished)

	// With its next heartbeat it is connected, and offered work on its open stream.
	must(t, p.Heartbeat(t.Context(), silent))
	p.workerState(silent, workerstate.Available)
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: accepted})
}

func (p *plant) workerState(id string, want workerstate.State) {
	p.t.Helper()
	worker, err := p.st.Worker(p.t.Context(), id)
	must(p.t, err)
	if worker.State != want {
		p.t.Fatalf("the worker is %s, want %s", worker.State, want)
	}
}

func TestEverySignOfLifeRenewsALease(t *testing.T) {
	for name, sign := range map[string]func(p *plant, workerID, token string) error{
		"heartbeat": func(p *plant, id, _ string) error { return p.Heartbeat(p.t.Context(), id) },
		"ping":      func(p *plant, id, _ string) error { _, err := p.Ping(p.t.Context(), id); return err },
		"connect":   func(p *plant, id, _ string) error { return p.Connect(p.t.Context(), id) },
		"job token": func(p *plant, _, token string) error { _, err := p.AuthorizeJob(p.t.Context(), token); return err },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			a := p.register("a")
			id := p.submit(record.Job{})
			p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
			_, token, err := p.Accept(t.Context(), a, id)
			must(t, err)
			for range 3 { // within DefaultStartTimeout
				p.pass(schedule.DefaultLeaseTimeout - time.Second)
				must(t, sign(p, a, token))
			}
			p.workerState(a, workerstate.Available)
			p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
			p.workerState(a, workerstate.Lost)
		})
	}
}

func TestDisconnectRequeuesUnstartedJobs(t *testing.T) {
	for name, row := range map[string]struct {
		until wire.JobState
		want  wire.JobState
		later wire.JobState
	}{
		"assigned": {wire.StateAssigned, wire.StateQueued, wire.StateQueued},
		"accepted": {wire.StateAccepted, wire.StateQueued, wire.StateQueued},
		"running":  {wire.StateRunning, wire.StateRunning, wire.StateLost},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			a := p.register("a")
			id := p.submit(record.Job{})
			p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
			if row.until != wire.StateAssigned {
				g := p.accept(a, id)
				if row.until == wire.StateRunning {
					p.startJob(g)
				}
			}
			must(t, p.Disconnect(t.Context(), a))
			must(t, p.Disconnect(t.Context(), a))
			p.state(id, row.want)
			p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
			p.state(id, row.later)

			wantErr(t, p.Heartbeat(t.Context(), a), ErrWrongState)
			_, err := p.Ping(t.Context(), a)
			wantErr(t, err, ErrWrongState)
			_, err = p.Attach(t.Context(), a)
			wantErr(t, err, ErrWrongState)
			wantErr(t, p.Connect(t.Context(), a), ErrWrongState)
		})
	}
}

func TestAWorkerThatPollsIsNotRunningItsJob(t *testing.T) {
	idle := wire.Instruction{Kind: wire.Resume}
	t.Run("one late ping proves nothing", func(t *testing.T) {
		p := newPlant(t, Options{})
		a := p.register("a")
		g := p.run(a, record.Job{})
		p.pings(a, idle)
		p.passBeating(schedule.DefaultAbsenceTimeout+time.Second, a)
		p.state(g.JobID, wire.StateRunning)
	})
	t.Run("pings and reports on the job", func(t *testing.T) {
		p := newPlant(t, Options{})
		a := p.register("a")
		id := p.submit(record.Job{})
		p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
		_, token, err := p.Accept(t.Context(), a, id)
		must(t, err)
		p.startJob(p.grant(token))
		for range 8 {
			p.pings(a, idle)
			p.passBeating(schedule.DefaultAbsenceTimeout/2, a)
			p.grant(token)
		}
		p.state(id, wire.StateRunning)
	})
	t.Run("pings without reports on the job", func(t *testing.T) {
		p := newPlant(t, Options{})
		a := p.register("a")
		g := p.run(a, record.Job{})
		for range 3 {
			p.pings(a, idle)
			p.state(g.JobID, wire.StateRunning)
			p.passBeating(schedule.DefaultAbsenceTimeout/2, a)
		}
		p.pass(time.Second)
		p.state(g.JobID, wire.StateLost)
		next := p.submit(record.Job{})
		p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: next})
	})
	t.Run("no pings and no reports on the job", func(t *testing.T) {
		p := newPlant(t, Options{Terms: schedule.Terms{SilenceTimeout: 2 * time.Minute}})
		a := p.register("a")
		p.attached(a)
		g := p.run(a, record.Job{})
		p.passBeating(2*time.Minute, a)
		p.state(g.JobID, wire.StateRunning)
		p.passBeating(2*time.Second, a)
		p.state(g.JobID, wire.StateLost)
	})
}

func TestLostJobsAreRetried(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	limits := wire.Limits{Memory: 1 << 30, CPUs: 1.5, PIDs: 7}
	g := p.run(a, record.Job{Command: []string{"make", "it"}, Env: map[string]string{"A": "B"}, Priority: 3, Timeout: time.Hour, Limits: limits, IdempotencyKey: "k", Job: lifecycle.Job{RetriesLeft: 1}})
	p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
	lost := p.job(g.JobID)
	if lost.State != wire.StateLost || lost.RetriedBy == "" || lost.LostReason == "" || lost.ExitStatus != "-1" {
		t.Fatalf("got %+v", lost)
	}
	retry := p.job(lost.RetriedBy)
	if retry.State != wire.StateQueued || retry.RetryOf != lost.ID || retry.RetriesLeft != 0 ||
		retry.Command[1] != "it" || retry.Env["A"] != "B" || retry.Priority != 3 || retry.Timeout != time.Hour || retry.Limits != limits {
		t.Fatalf("got %+v", retry)
	}
	must(t, p.Heartbeat(t.Context(), a))
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: retry.ID})
	p.startJob(p.accept(a, retry.ID))
	for range 2 { // the first response was lost
		must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	}
	if late := p.job(lost.ID); late.State != wire.StateLost || late.LateResult == nil || late.LateResult.ExitStatus != "0" {
		t.Fatalf("the late result is not kept: %+v", late)
	}
	p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
	if again := p.job(retry.ID); again.State != wire.StateLost || again.RetriedBy != "" {
		t.Errorf("got %+v", again)
	}
}

// An agent that was killed starts again, as another worker, and delivers the result
// of its job: within the lease the job ends with it, after it the result is kept.
func TestUndeliveredResults(t *testing.T) {
	died := wire.FinishRequest{ExitStatus: "-1", SignalReason: "agent_stop"}
	for _, c := range []struct {
		name    string
		late    bool
		cancel  bool
		result  wire.FinishRequest
		state   wire.JobState
		retried bool
	}{
		{"its end was seen", false, false, wire.FinishRequest{ExitStatus: "7"}, wire.StateFinished, false},
		{"its end was not seen", false, false, died, wire.StateFinished, true},
		{"it was to be canceled", false, true, died, wire.StateCanceled, false},
		{"ended by its agent", false, false, wire.FinishRequest{ExitStatus: "-1", Signal: "SIGTERM", SignalReason: "agent_stop"}, wire.StateFinished, true},
		{"too late", true, false, wire.FinishRequest{ExitStatus: "7"}, wire.StateFinished, true},
		{"its end was not seen, too late", true, false, died, wire.StateLost, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPlant(t, Options{})
			id := p.submit(record.Job{Job: lifecycle.Job{RetriesLeft: 1}})
			a := p.register("a")
			p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
			_, token, err := p.Accept(t.Context(), a, id)
			must(t, err)
			p.startJob(p.grant(token))
			if c.cancel {
				p.cancel(id, "canceling")
			}

			p.pass(schedule.DefaultLeaseTimeout - time.Second)
			again := p.register("a")
			if c.late {
				p.pass(3 * time.Second)
				p.state(id, wire.StateLost)
			}
			g := p.grant(token)
			must(t, g.AppendLog(t.Context(), wire.Chunk{Sequence: 1, Data: []byte("x")}))
			must(t, g.Finish(t.Context(), c.result))
			must(t, g.Finish(t.Context(), c.result)) // its response was lost
			p.pass(schedule.DefaultLeaseTimeout)

			job := p.job(id)
			if job.State != c.state || (job.RetriedBy != "") != c.retried {
				t.Fatalf("got %+v", job)
			}
			if kept := job.LateResult; (kept != nil) != (c.state == wire.StateLost) || kept != nil && kept.ExitStatus != c.result.ExitStatus {
				t.Errorf("the late result is %+v", kept)
			}
			if job.Late != c.late {
				t.Errorf("the result is shown as late: %t", job.Late)
			}
			if c.retried {
				if retry := p.job(job.RetriedBy); retry.RetryOf != id || retry.RetriesLeft != 0 {
					t.Errorf("got %+v", retry)
				}
				return
			}
			p.pings(again, wire.Instruction{Kind: wire.Resume})
		})
	}
}

func TestCanceledJobsAreNotRetried(t *testing.T) {
	p := newPlant(t, Options{})
	g := p.run(p.register("a"), record.Job{Job: lifecycle.Job{RetriesLeft: 3}})
	p.cancel(g.JobID, "canceling")
	p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
	if lost := p.job(g.JobID); lost.State != wire.StateLost || lost.RetriedBy != "" {
		t.Errorf("got %+v", lost)
	}
}

func TestTheRetryIsStoredEvenAfterACrash(t *testing.T) {
	p := newPlant(t, Options{})
	// The state after a process died between the two writes.
	retry := newID()
	lost, err := p.st.PutJob(t.Context(), record.Job{ID: newID(), Command: []string{"true"}, Queue: "default", Job: lifecycle.Job{State: wire.StateLost, RetriesLeft: 2, RetriedBy: retry, FinishedAt: p.clock.Now()}})
	must(t, err)
	p.restart()
	p.pass(time.Second)
	p.state(retry, wire.StateQueued)
	if got := p.job(retry); got.RetriesLeft != 1 || got.RetryOf != lost.ID {
		t.Errorf("got %+v", got)
	}
	p.restart()
	a := p.register("a")
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: retry})
	p.pass(time.Second)
	p.state(retry, wire.StateAssigned)
	p.records.view(func(x *schedule.Index) {
		if n := len(x.Pending()); n != 0 {
			t.Errorf("%d jobs have effects still to be done", n)
		}
	})
}

func TestASuspendedReplicaExpiresNoLease(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	g := p.run(a, record.Job{})
	p.clock.move(time.Hour)
	p.pass(time.Second)
	p.workerState(a, workerstate.Available)
	p.state(g.JobID, wire.StateRunning)
	p.pass(schedule.DefaultLeaseTimeout + 2*time.Second)
	p.workerState(a, workerstate.Lost)
}

func TestRestart(t *testing.T) {
	p := newPlant(t, Options{})
	worker, session, err := p.Register(t.Context(), record.Worker{Name: "a", Tags: []string{"queue=q"}})
	must(t, err)
	a := worker.ID
	running := p.submit(record.Job{Queue: "q"})
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: running})
	_, token, err := p.Accept(t.Context(), a, running)
	must(t, err)
	p.startJob(p.grant(token))
	queued := p.submit(record.Job{Queue: "q"})
	p.pass(schedule.DefaultLeaseTimeout - 2*time.Second)

	p.restart()
	p.pass(schedule.DefaultLeaseTimeout - 2*time.Second) // a full term
	p.workerState(a, workerstate.Available)
	registered, err := p.AuthenticateSession(t.Context(), session)
	got := registered.WorkerID
	must(t, err)
	must(t, p.Heartbeat(t.Context(), got))
	feed := p.attached(a)
	p.silent(feed)
	p.jobState(running, "running")
	must(t, p.grant(token).Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: queued})

	p.restart()
	feed = p.attached(a)
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: queued})
	p.pass(schedule.DefaultAssignTimeout - time.Second)
	p.state(queued, wire.StateAssigned)
	must(t, p.grant(token).Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
}

func TestForgottenWorkers(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	must(t, p.Disconnect(t.Context(), a))
	p.clock.move(store.DefaultWorkerRetention + time.Second)
	until(t, "the worker is forgotten", func() bool {
		p.pass(time.Second)
		page, err := p.Workers(t.Context(), schedule.WorkerFilter{States: []workerstate.State{workerstate.Left}}, schedule.Page{})
		must(t, err)
		return len(page.Workers) == 0
	})
}
