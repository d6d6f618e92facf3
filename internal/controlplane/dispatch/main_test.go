package dispatch

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// manualClock is moved by the test and never ticks: tests call sweep.
type manualClock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *manualClock { return &manualClock{now: time.Now()} }

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (*manualClock) NewTicker(time.Duration) *time.Ticker { return &time.Ticker{} }

func (c *manualClock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// plant is a dispatcher with its own store and a clock that the test moves.
type plant struct {
	*Dispatcher

	t     testing.TB
	clock *manualClock
	dir   string
	opts  Options
	st    *store.Store
}

func newPlant(t testing.TB, opts Options) *plant {
	t.Helper()
	p := &plant{t: t, clock: newClock(), dir: t.TempDir(), opts: opts}
	p.opts.Clock = p.clock
	p.opts.Logger = zap.NewNop()
	p.start()
	t.Cleanup(p.stop)
	return p
}

func (p *plant) start() {
	p.t.Helper()
	var err error
	if p.st, err = store.Open(p.t.Context(), store.Options{DataDir: p.dir}); err != nil {
		p.t.Fatal(err)
	}
	if p.Dispatcher, err = New(p.t.Context(), p.st, p.opts); err != nil {
		p.t.Fatal(err)
	}
}

func (p *plant) stop() {
	p.Close()
	p.st.Close()
}

// restart replaces the dispatcher and the store, as a new process would.
func (p *plant) restart() {
	p.t.Helper()
	p.stop()
	p.start()
}

// pass moves the clock, with a sweep every second.
func (p *plant) pass(d time.Duration) {
	p.t.Helper()
	for ; d > 0; d -= time.Second {
		p.clock.move(min(d, time.Second))
		must(p.t, p.sweeper.sweep(p.t.Context()))
	}
}

// passBeating is pass with heartbeats of a worker.
func (p *plant) passBeating(d time.Duration, workerID string) {
	p.t.Helper()
	for ; d > 0; d -= time.Second {
		must(p.t, p.Heartbeat(p.t.Context(), workerID))
		p.pass(min(d, time.Second))
	}
}

func (p *plant) register(name string) string {
	p.t.Helper()
	worker, _, err := p.Register(p.t.Context(), record.Worker{Name: name})
	must(p.t, err)
	return worker.ID
}

func (p *plant) attach(workerID string) *Feed {
	p.t.Helper()
	feed, err := p.Attach(p.t.Context(), workerID)
	must(p.t, err)
	p.t.Cleanup(feed.Close)
	return feed
}

// attached is attach, after reading the standing resume.
func (p *plant) attached(workerID string) *Feed {
	p.t.Helper()
	feed := p.attach(workerID)
	p.wants(feed, wire.Instruction{Kind: wire.Resume})
	return feed
}

func (p *plant) submit(s record.Job) string {
	p.t.Helper()
	if s.Command == nil {
		s.Command = []string{"true"}
	}
	job, _, err := p.Submit(p.t.Context(), s)
	must(p.t, err)
	return job.ID
}

func (p *plant) accept(workerID, jobID string) JobGrant {
	p.t.Helper()
	_, token, err := p.Accept(p.t.Context(), workerID, jobID)
	must(p.t, err)
	return p.grant(token)
}

func (p *plant) grant(token string) JobGrant {
	p.t.Helper()
	grant, err := p.AuthorizeJob(p.t.Context(), token)
	must(p.t, err)
	return grant
}

func (p *plant) startJob(g JobGrant) {
	p.t.Helper()
	must(p.t, g.Start(p.t.Context(), p.clock.Now()))
}

// run submits a job and starts it on a worker.
func (p *plant) run(workerID string, s record.Job) JobGrant {
	p.t.Helper()
	return p.runOn(workerID, p.submit(s))
}

// runOn starts a job that waits on a worker.
func (p *plant) runOn(workerID, id string) JobGrant {
	p.t.Helper()
	p.pings(workerID, wire.Instruction{Kind: wire.JobAssigned, JobID: id})
	grant := p.accept(workerID, id)
	p.startJob(grant)
	return grant
}

func (p *plant) job(id string) record.Job {
	p.t.Helper()
	job, err := p.Job(p.t.Context(), id)
	must(p.t, err)
	return job
}

func (p *plant) state(id string, want wire.JobState) {
	p.t.Helper()
	if job := p.job(id); job.State != want {
		p.t.Fatalf("job is %s (%s), want %s", job.State, job.LostReason, want)
	}
}

// next waits for the next instruction of a feed.
func next(ctx context.Context, feed *Feed) (wire.Instruction, error) {
	for {
		if in, ok, err := feed.Take(); ok || err != nil {
			return in, err
		}
		ready := make(chan struct{})
		feed.Notify(func() { close(ready) })
		select {
		case <-ready:
		case <-ctx.Done():
			return wire.Instruction{}, context.Cause(ctx)
		}
	}
}

// wants reads the next instructions of a feed.
func (p *plant) wants(feed *Feed, want ...wire.Instruction) {
	p.t.Helper()
	for _, w := range want {
		ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
		got, err := next(ctx, feed)
		cancel()
		must(p.t, err)
		if got != w {
			p.t.Fatalf("got instruction %+v, want %+v", got, w)
		}
	}
}

// silent checks that a feed has no instruction. Every call that could have queued
// one has returned.
func (p *plant) silent(feed *Feed) {
	p.t.Helper()
	ctx, cancel := context.WithCancel(p.t.Context())
	cancel()
	if got, err := next(ctx, feed); err == nil {
		p.t.Fatalf("got instruction %+v, want none", got)
	}
}

func (p *plant) pings(workerID string, want wire.Instruction) {
	p.t.Helper()
	got, err := p.Ping(p.t.Context(), workerID)
	must(p.t, err)
	if got != want {
		p.t.Fatalf("the ping returned %+v, want %+v", got, want)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got error %v, want %v", err, want)
	}
}
