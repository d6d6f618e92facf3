package dispatch

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// passHolding is passBeating of a worker whose agent names a job each time.
func (p *plant) passHolding(d time.Duration, workerID, jobID string) {
	p.t.Helper()
	for ; d > 0; d -= 10 * time.Second {
		must(p.t, p.Heartbeat(p.t.Context(), workerID))
		p.Hold([]string{jobID, "unknown"})
		p.pass(min(d, 10*time.Second))
	}
}

// A job whose agent lives and names it is not lost: not by silence, not by pings, and
// not because the agent started again as another worker. Its result is recorded when
// it arrives.
func TestHeldJobsAreNotLost(t *testing.T) {
	for name, row := range map[string]struct {
		again bool // the agent starts again, and registers another worker
		polls bool
	}{
		"the same worker": {}, "another worker of the agent": {again: true}, "a polling worker": {polls: true},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{Terms: schedule.Terms{SilenceTimeout: 2 * time.Minute}})
			a := p.register("a")
			g := p.run(a, record.Job{})
			holder := a
			if row.again {
				holder = p.register("a")
			}
			for range 10 {
				if row.polls {
					p.pings(holder, wire.Instruction{Kind: wire.Resume})
				}
				p.passHolding(time.Minute, holder, g.JobID)
			}
			p.state(g.JobID, wire.StateRunning)
			if row.again {
				p.workerState(a, workerstate.Lost)
			}
			must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
			p.state(g.JobID, wire.StateFinished)
		})
	}
}

// An agent that no longer names a job, or names it without end, loses it.
func TestHoldingEnds(t *testing.T) {
	terms := schedule.Terms{HoldTimeout: 20 * time.Minute}
	t.Run("no longer named", func(t *testing.T) {
		p := newPlant(t, Options{Terms: terms})
		a := p.register("a")
		g := p.run(a, record.Job{})
		b := p.register("a")
		p.passHolding(5*time.Minute, b, g.JobID)
		p.state(g.JobID, wire.StateRunning)
		p.passBeating(schedule.DefaultLeaseTimeout+2*time.Second, b)
		p.state(g.JobID, wire.StateLost)
	})
	t.Run("for too long", func(t *testing.T) {
		p := newPlant(t, Options{Terms: terms})
		a := p.register("a")
		g := p.run(a, record.Job{})
		p.passHolding(terms.HoldTimeout, a, g.JobID)
		p.state(g.JobID, wire.StateRunning)
		p.passHolding(11*time.Second, a, g.JobID)
		p.state(g.JobID, wire.StateLost)
		if reason := p.job(g.JobID).LostReason; !strings.Contains(reason, "held the job for 20m0s") {
			t.Errorf("the reason is %q", reason)
		}
	})
}

// The signal of a held job reaches the other replicas.
func TestHeldJobsOfAnotherReplica(t *testing.T) {
	one, two := twoPlants(t)
	a := one.register("a")
	g := one.run(a, record.Job{})
	until(t, "the other replica knows the job", func() bool { _, ok := two.records.job(g.JobID); return ok })
	two.clock.move(schedule.DefaultLeaseTimeout - time.Second)
	one.Hold([]string{g.JobID})
	one.replicas.sendSigns()
	expires := func() (lost bool) {
		now := two.clock.Now().Add(2 * time.Second)
		two.records.view(func(x *schedule.Index) { lost = len(x.Decide("", now, schedule.Terms{}.WithDefaults())) > 0 })
		return lost
	}
	until(t, "the other replica keeps the job", func() bool { return !expires() })
}

// A wall clock that is set, or differs between replicas, ends no job: the timeout is
// counted from when this replica saw the start. The stored moment of the start is two
// hours old for a replica that has just read it.
func TestTheTimeoutIsCountedFromWhatThisReplicaSaw(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	g := p.run(a, record.Job{Timeout: 10 * time.Minute})
	p.clock.move(2 * time.Hour)
	p.restart()
	must(t, p.Heartbeat(t.Context(), a))
	p.pass(time.Second)
	p.jobState(g.JobID, "running")
	p.passHolding(10*time.Minute, a, g.JobID)
	p.jobState(g.JobID, "timing_out")
}

// A stop with force ends the job, which is retried where retries were asked for and
// the operator does not forbid it.
func TestForcedStopsAndRetries(t *testing.T) {
	for name, row := range map[string]struct {
		noRetry, retried bool
	}{"retried": {false, true}, "not retried": {true, false}} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			a := p.register("a")
			g := p.run(a, record.Job{Job: lifecycle.Job{RetriesLeft: 1}})
			_, err := p.Stop(t.Context(), a, Stopping{Force: true, NoRetry: row.noRetry, Reason: "now"})
			must(t, err)
			p.jobState(g.JobID, "canceling")
			must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "-1", Signal: "SIGTERM", SignalReason: "cancel"}))
			if job := p.job(g.JobID); job.State != wire.StateCanceled || (job.RetriedBy != "") != row.retried {
				t.Errorf("got %+v", job)
			}
		})
	}
	p := newPlant(t, Options{})
	_, err := p.Stop(t.Context(), p.register("a"), Stopping{NoRetry: true})
	wantErr(t, err, ErrInvalid)
}

// The history tells a job's whole life, and survives requeues.
func TestHistory(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	id := p.submit(record.Job{})
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	p.passBeating(schedule.DefaultAssignTimeout+2*time.Second, a)
	p.state(id, wire.StateQueued)
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	g := p.accept(a, id)
	p.startJob(g)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "7"}))
	var got []string
	for _, e := range p.job(id).History.Entries {
		got = append(got, e.Event+" "+e.WorkerName+" "+e.Reason)
	}
	want := `Submitted  a worker in queue default is free, and will be given the job when it polls
Assigned a offered in the response to its ping
NotAccepted a not accepted within 30s
Assigned a offered in the response to its ping; the worker is free since it responded again
Accepted a offered in the response to its ping
Started a 
Finished a exit status 7`
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
