package dispatch

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// twoPlants returns two dispatchers on one external server, with one clock.
func twoPlants(t testing.TB) (one, two *plant) {
	t.Helper()
	one, two, _ = plantsOn(t)
	return one, two
}

// plantsOn is twoPlants; stop ends the server.
func plantsOn(t testing.TB) (one, two *plant, stop func()) {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	must(t, err)
	srv.Start()
	stop = func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	}
	t.Cleanup(stop)
	if !srv.ReadyForConnections(time.Minute) {
		t.Fatal("the server is not ready")
	}
	clock := newClock()
	start := func() *plant {
		p := &plant{t: t, clock: clock}
		var err error
		p.st, err = store.Open(t.Context(), store.Options{URL: srv.ClientURL()})
		must(t, err)
		p.Dispatcher, err = New(t.Context(), p.st, Options{Clock: clock})
		must(t, err)
		t.Cleanup(p.stop)
		return p
	}
	return start(), start(), stop
}

// until waits for the effect of another replica's change.
func until(t testing.TB, what string, is func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for !is() {
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("never: %s", what)
		}
	}
}

func TestReplicasShareTheWork(t *testing.T) {
	one, two := twoPlants(t)
	worker, session, err := one.Register(t.Context(), record.Worker{Name: "a"})
	must(t, err)
	a := worker.ID
	registered, err := two.AuthenticateSession(t.Context(), session)
	got := registered.WorkerID
	must(t, err)
	feed := two.attached(got)
	id := one.submit(record.Job{})
	two.wants(feed, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	_, token, err := one.Accept(t.Context(), a, id)
	must(t, err)
	two.startJob(two.grant(token))
	second := two.submit(record.Job{})
	_, err = one.Pause(t.Context(), a, "why", workerstate.ByOperator)
	must(t, err)
	two.wants(feed, wire.Instruction{Kind: wire.Pause, Reason: "why"})
	must(t, one.grant(token).Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"}))
	until(t, "the worker is free here too", func() bool {
		page, err := two.Workers(t.Context(), schedule.WorkerFilter{}, schedule.Page{})
		must(t, err)
		return page.Workers[0].JobID == ""
	})
	two.silent(feed)
	_, err = one.Dispatcher.Resume(t.Context(), a, workerstate.ByOperator)
	must(t, err)
	two.wants(feed, wire.Instruction{Kind: wire.Resume}, wire.Instruction{Kind: wire.JobAssigned, JobID: second})
}

func TestAStreamToAnotherReplicaSupersedes(t *testing.T) {
	one, two := twoPlants(t)
	a := one.register("a")
	first := one.attached(a)
	second := two.attach(a)
	_, err := next(t.Context(), first)
	wantErr(t, err, ErrSuperseded)
	streaming := func(p *plant) bool {
		page, err := p.Workers(t.Context(), schedule.WorkerFilter{}, schedule.Page{})
		must(t, err)
		return len(page.Workers) == 1 && page.Workers[0].Streaming
	}
	until(t, "the stream is known here", func() bool { return streaming(one) })
	second.Close()
	until(t, "its end is known here", func() bool { return !streaming(one) })
	until(t, "its end is known there", func() bool { return !streaming(two) })
}

func TestAHeartbeatToAnyReplicaCounts(t *testing.T) {
	one, two := twoPlants(t)
	a := one.register("a")
	until(t, "the worker is known here", func() bool { _, known := two.records.worker(a); return known })
	for range int(2 * schedule.DefaultLeaseTimeout / (10 * time.Second)) {
		must(t, one.Heartbeat(t.Context(), a))
		must(t, one.sweeper.sweep(t.Context()))
		now := one.clock.Now()
		until(t, "the heartbeat is known here", func() bool {
			page, err := two.Workers(t.Context(), schedule.WorkerFilter{}, schedule.Page{})
			must(t, err)
			return page.Workers[0].LastSeenAt.Equal(now)
		})
		two.pass(10 * time.Second)
	}
	one.workerState(a, workerstate.Available)
}

// While the store is out of reach no replica's signs of life arrive, so no lease ends.
func TestLeasesWaitForTheStore(t *testing.T) {
	one, two, stop := plantsOn(t)
	a := one.register("a")
	until(t, "the worker is known here", func() bool { _, known := two.records.worker(a); return known })
	stop()
	until(t, "the connection is lost", func() bool { return !two.st.Connected() })
	for range int(2 * schedule.DefaultLeaseTimeout / time.Second) {
		two.clock.move(time.Second)
		if expired := two.sweeper.expireLeases(); len(expired) > 0 {
			t.Fatalf("the lease of %v expired while the store was out of reach", expired)
		}
	}
}

func TestTwoOffersBecomeOne(t *testing.T) {
	p := newPlant(t, Options{})
	a, b := p.register("a"), p.register("b")
	first, second := p.submit(record.Job{}), p.submit(record.Job{})
	p.pings(a, wire.Instruction{Kind: wire.JobAssigned, JobID: first})
	job, err := p.st.Job(t.Context(), second) // as another replica would
	must(t, err)
	job.State, job.WorkerID = wire.StateAssigned, a
	_, err = p.st.PutJob(t.Context(), job)
	must(t, err)
	until(t, "it is known here", func() bool { _, known := p.records.job(second); return known })
	p.pass(time.Second)
	p.state(first, wire.StateAssigned)
	p.pings(b, wire.Instruction{Kind: wire.JobAssigned, JobID: second})
}
