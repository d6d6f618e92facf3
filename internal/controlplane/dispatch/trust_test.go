package dispatch

import (
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// A stream whose offer was not accepted in time is offered nothing until its worker
// shows a sign of life, and then a job only if no other worker is idle.
func TestAStreamWhoseOfferWasNotAccepted(t *testing.T) {
	const term = schedule.DefaultAssignTimeout + time.Second
	offer := func(id string) wire.Instruction { return wire.Instruction{Kind: wire.JobAssigned, JobID: id} }
	dead := func(t *testing.T) (p *plant, a string, feed *Feed, job string) {
		p = newPlant(t, Options{})
		a = p.register("a")
		feed = p.attached(a)
		job = p.submit(record.Job{})
		p.wants(feed, offer(job))
		p.pass(term)
		p.state(job, wire.StateQueued)
		p.silent(feed)
		return p, a, feed, job
	}
	t.Run("without a sign of life", func(t *testing.T) {
		p, _, feed, job := dead(t)
		p.pass(term / 2)
		p.silent(feed)
		p.state(job, wire.StateQueued)
		want := "the one worker in queue default is not responding (nothing received for 45s)"
		if got := p.WaitingReason(p.job(job)); got != want {
			t.Errorf("the job waits: %q, want %q", got, want)
		}
		b := p.attached(p.register("b"))
		p.wants(b, offer(job))
	})
	for name, sign := range map[string]func(p *plant, a string){
		"a heartbeat": func(p *plant, a string) { must(p.t, p.Heartbeat(p.t.Context(), a)) },
		"a signal of another replica": func(p *plant, a string) {
			p.records.update(func(x *schedule.Index) { x.RenewWorker(a, p.clock.Now()) })
		},
	} {
		t.Run(name, func(t *testing.T) {
			p, a, feed, job := dead(t)
			sign(p, a)
			p.wants(feed, offer(job))
			p.hasEntry(job, lifecycle.Assigned, "offered on its stream; the worker is free since it responded again")
		})
		t.Run(name+", and another worker is idle", func(t *testing.T) {
			p, a, feed, job := dead(t)
			_, err := p.Cancel(t.Context(), job, "")
			must(t, err)
			b := p.register("b")
			other := p.attached(b)
			sign(p, a)
			next := p.submit(record.Job{})
			p.wants(other, offer(next))
			p.silent(feed)
			last := p.submit(record.Job{})
			p.wants(feed, offer(last))
			p.startJob(p.accept(a, last)) // its stream works
			p.hasEntry(last, lifecycle.Started, "")
		})
	}
	t.Run("a ping", func(t *testing.T) {
		p, a, _, job := dead(t)
		p.pings(a, offer(job))
	})
	t.Run("a new stream", func(t *testing.T) {
		p, a, _, job := dead(t)
		p.wants(p.attached(a), offer(job))
	})
	t.Run("accepted", func(t *testing.T) {
		p, a, feed, job := dead(t)
		must(t, p.Heartbeat(t.Context(), a))
		p.wants(feed, offer(job))
		g := p.accept(a, job)
		p.hasEntry(job, lifecycle.Accepted, "offered on its stream")
		p.startJob(g)
		b := p.attached(p.register("b"))
		must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
		// b has been idle for longer; a is trusted again, and comes second.
		first, second := p.submit(record.Job{}), p.submit(record.Job{})
		p.wants(b, offer(first))
		p.wants(feed, offer(second))
	})
}

// A worker that is silent for half of its lease does not respond, whatever it has.
func TestSilentWorkersInTheWaitingReason(t *testing.T) {
	p := newPlant(t, Options{})
	why := func(want string) {
		t.Helper()
		waiting := p.submit(record.Job{})
		if got := p.WaitingReason(p.job(waiting)); !strings.HasSuffix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
		_, err := p.Cancel(t.Context(), waiting, "")
		must(t, err)
	}
	g := p.run(p.register("a"), record.Job{})
	p.pass(schedule.DefaultLeaseTimeout / 2)
	why("the one worker in queue default is busy")
	p.pass(2 * time.Second)
	why("the one worker in queue default is not responding (nothing received for 45s)")
	if got, want := p.WaitingReason(p.job(g.JobID)), "nothing received from its worker a for 45s"; got != want {
		t.Errorf("the running job: %q, want %q", got, want)
	}
	b := p.register("b")
	p.run(b, record.Job{})
	why("no worker in queue default is free: 1 busy, 1 not responding (nothing received for 45s)")
	p.passBeating(10*time.Second, b)
	p.records.update(func(x *schedule.Index) { x.RenewJob(g.JobID, p.clock.Now()) })
	why("all 2 workers in queue default are busy")
	if got := p.WaitingReason(p.job(g.JobID)); got != "" {
		t.Errorf("the running job: %q", got)
	}
	for range 6 { // the lease is not over, since a job's token was used
		p.passBeating(10*time.Second, b)
	}
	why("no worker in queue default is free: 1 busy, 1 not responding (nothing received for 1m0s)")
}
