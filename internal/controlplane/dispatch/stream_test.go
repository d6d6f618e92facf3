package dispatch

import (
	"context"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestAJobIsDeliveredByTheStream(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	feed := p.attached(a)
	id := p.submit(record.Job{})
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	g := p.accept(a, id)
	p.startJob(g)
	second := p.submit(record.Job{})
	p.silent(feed)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	p.state(id, wire.StateFinished)
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: second})
}

func TestPriorityFirstThenAge(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	low := p.submit(record.Job{Priority: -1})
	first := p.submit(record.Job{})
	second := p.submit(record.Job{})
	urgent := p.submit(record.Job{Priority: 9})
	p.submit(record.Job{Queue: "other", Priority: 99})
	feed := p.attached(a)
	for _, id := range []string{urgent, first, second, low} {
		p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
		p.silent(feed)
		g := p.accept(a, id)
		must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	}
	p.silent(feed)
}

func TestUnstartedJobsAreOfferedAgain(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	feed := p.attached(a)
	id := p.submit(record.Job{})
	offer := wire.Instruction{Kind: wire.JobAssigned, JobID: id}
	p.wants(feed, offer)
	p.pings(a, offer)
	p.wants(p.attached(a), offer)
	g := p.accept(a, id)
	p.wants(p.attached(a), offer)
	p.pings(a, offer)
	p.startJob(g)
	p.silent(p.attached(a))
	p.pings(a, wire.Instruction{Kind: wire.Resume})
}

func TestAnAssignmentForAPingIsOnTheStreamToo(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	id := p.submit(record.Job{})
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	feed := p.attached(a) // opened while the response was in flight
	p.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})

	g := p.accept(a, id)
	// A paused worker receives nothing; a ping right after the resume does.
	_, err := p.Pause(t.Context(), a, "why", workerstate.ByOperator)
	must(t, err)
	must(t, g.Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	next := p.submit(record.Job{})
	p.wants(feed, wire.Instruction{Kind: wire.Pause, Reason: "why"})
	p.silent(feed)
	_, err = p.Resume(t.Context(), a, workerstate.ByOperator)
	must(t, err)
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: next})
	p.wants(feed, wire.Instruction{Kind: wire.Resume}, wire.Instruction{Kind: wire.JobAssigned, JobID: next})
}

func TestASecondStreamSupersedesTheFirst(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("a")
	first := p.attached(a)
	second := p.attached(a)
	_, err := next(t.Context(), first)
	wantErr(t, err, ErrSuperseded)
	first.Close() // must not detach the second
	id := p.submit(record.Job{})
	p.wants(second, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	second.Close()
	_, err = next(t.Context(), second)
	wantErr(t, err, ErrClosed)
	next := p.submit(record.Job{})
	p.state(next, wire.StateQueued)
}

func TestStandingInstructions(t *testing.T) {
	type step func(p *plant, workerID string) error
	pause := func(reason string) step {
		return func(p *plant, id string) error {
			_, err := p.Pause(p.t.Context(), id, reason, workerstate.ByOperator)
			return err
		}
	}
	resume := func(p *plant, id string) error {
		_, err := p.Dispatcher.Resume(p.t.Context(), id, workerstate.ByOperator)
		return err
	}
	stop := func(p *plant, id string) error {
		_, err := p.Stop(p.t.Context(), id, Stopping{Reason: "bye"})
		return err
	}
	for name, row := range map[string]struct {
		steps []step
		// down is what an open stream delivers after all of the steps.
		down []wire.Instruction
		// stands is the instruction of pings, new streams and keep-alives.
		stands wire.Instruction
	}{
		"nothing":              {nil, nil, wire.Instruction{Kind: wire.Resume}},
		"paused":               {[]step{pause("x")}, []wire.Instruction{{Kind: wire.Pause, Reason: "x"}}, wire.Instruction{Kind: wire.Pause, Reason: "x"}},
		"paused again":         {[]step{pause("x"), pause("y")}, []wire.Instruction{{Kind: wire.Pause, Reason: "y"}}, wire.Instruction{Kind: wire.Pause, Reason: "y"}},
		"paused and resumed":   {[]step{pause("x"), resume}, []wire.Instruction{{Kind: wire.Resume}}, wire.Instruction{Kind: wire.Resume}},
		"stopped":              {[]step{stop}, []wire.Instruction{{Kind: wire.Disconnect, Reason: "bye"}}, wire.Instruction{Kind: wire.Disconnect, Reason: "bye"}},
		"stopped while paused": {[]step{pause("x"), stop}, []wire.Instruction{{Kind: wire.Disconnect, Reason: "bye"}}, wire.Instruction{Kind: wire.Disconnect, Reason: "bye"}},
		"stopping is for good": {[]step{stop, resume, pause("x")}, []wire.Instruction{{Kind: wire.Disconnect, Reason: "bye"}}, wire.Instruction{Kind: wire.Disconnect, Reason: "bye"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := newPlant(t, Options{})
			a := p.register("a")
			feed := p.attached(a)
			for _, step := range row.steps {
				must(t, step(p, a))
			}
			p.wants(feed, row.down...)
			p.silent(feed)
			p.pings(a, row.stands)
			feed.Repeat()
			p.wants(feed, row.stands)
			id := p.submit(record.Job{})
			next := p.attach(a)
			p.wants(next, row.stands)
			if row.stands.Kind == wire.Resume {
				return
			}
			p.silent(next)
			p.state(id, wire.StateQueued)
		})
	}
}

// The next keep-alive follows the delivery of this one, so it must not be lost with an offer.
func TestAKeepAliveIsNotWithdrawnWithAnOffer(t *testing.T) {
	p := newPlant(t, Options{})
	feed := p.attached(p.register("a"))
	feed.Offer("job") // nobody has taken it when the keep-alive is due
	feed.Repeat()
	feed.Repeat()
	feed.Withdraw("job")
	p.wants(feed, wire.Instruction{Kind: wire.Resume})
	p.silent(feed)
}

func TestPausingWithdrawsOffers(t *testing.T) {
	p := newPlant(t, Options{})
	a, b := p.register("a"), p.register("b")
	feed := p.attached(a)
	id := p.submit(record.Job{})
	_, err := p.Pause(t.Context(), "a", "why", workerstate.ByOperator)
	must(t, err)
	p.wants(feed, wire.Instruction{Kind: wire.Pause, Reason: "why"})
	p.silent(feed)
	p.pings(b, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
}

func TestStopWithForce(t *testing.T) {
	p := newPlant(t, Options{})
	a, b := p.register("a"), p.register("b")
	g := p.run(a, record.Job{})
	waiting := p.submit(record.Job{})
	p.pings(b, wire.Instruction{Kind: wire.JobAssigned, JobID: waiting})
	p.accept(b, waiting)
	_, err := p.Stop(t.Context(), a, Stopping{Reason: "slowly"})
	must(t, err)
	p.jobState(g.JobID, "running")
	worker, err := p.Stop(t.Context(), a, Stopping{Force: true, Reason: "now"})
	must(t, err)
	if worker.State != workerstate.Stopped || worker.JobID != g.JobID {
		t.Errorf("got %+v", worker)
	}
	p.jobState(g.JobID, "canceling")
	if got := p.job(g.JobID).CancelReason; got != "now" {
		t.Errorf("the reason is %q", got)
	}
	_, err = p.Stop(t.Context(), b, Stopping{Force: true, Reason: "now"})
	must(t, err)
	p.state(waiting, wire.StateQueued)
}

func TestOperatorsNameWorkers(t *testing.T) {
	p := newPlant(t, Options{})
	a := p.register("one")
	p.register("two")
	p.register("two")
	gone := p.register("gone")
	must(t, p.Disconnect(t.Context(), gone))
	for name, row := range map[string]struct {
		ref  string
		want error
	}{
		"by id":           {a, nil},
		"by name":         {"one", nil},
		"ambiguous":       {"two", ErrInvalid},
		"unknown name":    {"three", ErrNotFound},
		"unknown id":      {newID(), ErrNotFound},
		"gone, by name":   {"gone", ErrWrongState},
		"gone, by its id": {gone, ErrWrongState},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := p.Pause(t.Context(), row.ref, "why", workerstate.ByOperator)
			if row.want == nil {
				must(t, err)
				return
			}
			wantErr(t, err, row.want)
		})
	}
	_, err := p.Pause(t.Context(), a, " ", workerstate.ByOperator)
	wantErr(t, err, ErrInvalid)
}

func TestNextEndsWithItsContext(t *testing.T) {
	p := newPlant(t, Options{})
	feed := p.attached(p.register("a"))
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err := next(ctx, feed)
	wantErr(t, err, context.DeadlineExceeded)
	p.Close()
	_, err = next(t.Context(), feed)
	wantErr(t, err, ErrClosed)
	_, err = p.Attach(t.Context(), newID())
	wantErr(t, err, ErrNotFound)
}
