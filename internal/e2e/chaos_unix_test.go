//go:build unix

package e2e_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard-ci/switchyard/internal/scripttest"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// The defaults are what CI runs; `task chaos` runs five minutes and 1,000 jobs.
//
//nolint:gochecknoglobals // flags of the test
var (
	chaosTime = flag.Duration("chaos", time.Minute, "how long TestChaos disturbs")
	chaosJobs = flag.Int("chaos-jobs", 200, "how many jobs TestChaos submits meanwhile")
	chaosSeed = flag.Uint64("chaos-seed", 0, "seed of TestChaos; 0 is a random one")
)

const (
	chaosWorkers = 4 // of each agent
	chaosRetries = 2
	longestJob   = 4 * time.Second
	// calmAfter is the time in which every job must end after the last disturbance:
	// lost jobs need a lease for each retry, and streams reconnect in windows.
	calmAfter = 2 * time.Minute
	// calmBefore is the time between the end of the disturbances of one target and
	// its next one, at most.
	calmBefore = 15 * time.Second
)

// chaosLease is short, so that some disturbances last longer than it.
const chaosLease = "8s"

// chaosRecord is everything that a chaos test changes. It has the lock of what
// several goroutines write.
type chaosRecord struct {
	*fleet

	began time.Time

	mu      sync.Mutex
	actions []string
	counts  map[string]int
	agents  []*chaosAgent
	known   []knownResult // when awaitFinal returned
}

// chaosAgent is an agent that is killed and started again, with its own link to the
// control plane.
type chaosAgent struct {
	name string
	args []string
	link *link
	runs []*scripttest.Process // the last one runs
}

// disturbance is one kind of fault. It ends before act returns.
type disturbance struct {
	name    string
	longest time.Duration
	act     func(ctx context.Context, lasts time.Duration) error
}

// TestChaos runs jobs with retries while the control plane, the agents and the links
// between them are killed, frozen and cut at random. Each job ID must run once, every
// result that an agent has delivered or stored must be recorded, and all jobs must end.
func TestChaos(t *testing.T) {
	skipIfShort(t)
	t.Parallel()
	seed := *chaosSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("seed %d (-args -chaos-seed %d)", seed, seed)
	ctx, cancel := context.WithTimeout(t.Context(), *chaosTime+calmAfter+testTimeout)
	defer cancel()
	c := &chaosRecord{
		fleet: newFleet(ctx, t, "--heartbeat-interval", "1s", "--lease", chaosLease, "--keep-alive", "1s", "--assign-timeout", "3s"),
		began: time.Now(), counts: map[string]int{},
	}
	t.Cleanup(func() {
		if t.Failed() {
			for _, a := range c.actions {
				t.Log(a)
			}
		}
	})
	for _, way := range ways {
		c.joinChaos(t, way.mode, way.protocol)
	}
	jobs, err := c.disturbWhileSubmitting(ctx, seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("disturbances: %v", c.counts)
	all, err := c.awaitFinal(ctx)
	if err != nil {
		t.Error(err)
	}
	c.checkChaos(t, jobs, all)
	c.fleet.agents = nil
	for _, a := range c.agents {
		c.fleet.agents = append(c.fleet.agents, a.runs[len(a.runs)-1])
	}
	c.leave(ctx, t)
}

// joinChaos starts an agent with a link of its own.
func (c *chaosRecord) joinChaos(t *testing.T, mode, protocol string) {
	t.Helper()
	a := &chaosAgent{name: mode + "-" + protocol, link: newLink(t, c.listen)}
	a.args = []string{
		"agent", "start", "--endpoint", a.link.url() + wire.Prefix, "--spawn", strconv.Itoa(chaosWorkers),
		"--name", a.name, "--mode", mode, "--stream-protocol", protocol, "--log-level", "debug",
	}
	if err := c.startAgent(a); err != nil {
		t.Fatal(err)
	}
	c.agents = append(c.agents, a)
}

func (c *chaosRecord) startAgent(a *chaosAgent) error {
	p, err := c.run(a.name, a.args...)
	if err == nil {
		a.runs = append(a.runs, p)
	}
	return err
}

// disturbWhileSubmitting disturbs every target and submits jobs, evenly over the time
// of the test. When it returns without an error, everything runs again. It returns
// the jobs that were submitted, by ID.
func (c *chaosRecord) disturbWhileSubmitting(ctx context.Context, seed uint64) (map[string]bool, error) {
	disturbing, stop := context.WithTimeout(ctx, *chaosTime)
	defer stop()
	var disturbers errgroup.Group
	for i, target := range c.targets() {
		random := rand.New(rand.NewPCG(seed, uint64(i))) //nolint:gosec // no secret
		disturbers.Go(func() error { return c.disturb(disturbing, random, target.name, target.disturbances) })
	}
	jobs, err := c.submitEvenly(ctx, rand.New(rand.NewPCG(seed, 1<<32))) //nolint:gosec // no secret
	if err != nil {
		stop()
	}
	return jobs, errors.Join(err, disturbers.Wait())
}

// target is what is disturbed by one thing at a time.
type target struct {
	name         string
	disturbances []disturbance
}

func (c *chaosRecord) targets() []target {
	all := []target{{"server", []disturbance{
		{"killed", 2 * time.Second, func(ctx context.Context, lasts time.Duration) error {
			c.server.Kill()
			pause(ctx, lasts)
			return c.serve(ctx)
		}},
		{"frozen", 4 * time.Second, func(ctx context.Context, lasts time.Duration) error {
			return freeze(ctx, c.server, lasts)
		}},
	}}}
	for _, a := range c.agents {
		all = append(all, target{"agent " + a.name, []disturbance{
			{"killed", 4 * time.Second, func(ctx context.Context, lasts time.Duration) error {
				a.runs[len(a.runs)-1].Kill()
				pause(ctx, lasts)
				return c.startAgent(a)
			}},
			// Some freezes are longer than the lease.
			{"frozen", 12 * time.Second, func(ctx context.Context, lasts time.Duration) error {
				return freeze(ctx, a.runs[len(a.runs)-1], lasts)
			}},
		}})
		cut := func(toxics []toxic) func(context.Context, time.Duration) error {
			return func(ctx context.Context, lasts time.Duration) error {
				defer a.link.heal(ctx)
				err := a.link.harm(toxics)
				pause(ctx, lasts)
				return err
			}
		}
		all = append(all, target{"link of " + a.name, []disturbance{
			{"reset", 4 * time.Second, cut(bothWays("reset_peer", `{"timeout": 0}`))},
			{"half-open", 6 * time.Second, cut([]toxic{{toAgents, "timeout", `{"timeout": 0}`}})},
			{"black hole", 6 * time.Second, cut(bothWays("timeout", `{"timeout": 0}`))},
		}})
	}
	return all
}

// freeze stops a process for some time.
func freeze(ctx context.Context, p *scripttest.Process, lasts time.Duration) error {
	if err := p.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		return fmt.Errorf("freezing %s: %w", p.Name, err)
	}
	pause(ctx, lasts)
	if err := p.Cmd.Process.Signal(syscall.SIGCONT); err != nil {
		return fmt.Errorf("thawing %s: %w", p.Name, err)
	}
	return nil
}

// disturb disturbs one target until the context ends. A disturbance that has begun is
// completed.
func (c *chaosRecord) disturb(ctx context.Context, random *rand.Rand, name string, kinds []disturbance) error {
	whole := context.WithoutCancel(ctx)
	for pause(ctx, time.Duration(random.Int64N(int64(calmBefore)))) {
		kind := kinds[random.IntN(len(kinds))]
		lasts := time.Duration(random.Int64N(int64(kind.longest)))
		c.mu.Lock()
		c.counts[kind.name]++
		c.actions = append(c.actions, fmt.Sprintf("%s %s for %v", time.Now().UTC().Format("15:04:05.000"), name+" "+kind.name, lasts))
		c.mu.Unlock()
		if err := kind.act(whole, lasts); err != nil {
			return fmt.Errorf("%s %s: %w", name, kind.name, err)
		}
	}
	return nil
}

// submitEvenly submits the jobs one after the other. Each ends with an exit status of
// its own.
func (c *chaosRecord) submitEvenly(ctx context.Context, random *rand.Rand) (map[string]bool, error) {
	var mu sync.Mutex
	ids := map[string]bool{}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(submitters)
	for i := range *chaosJobs {
		takes := time.Duration(random.Int64N(int64(longestJob)))
		due := c.began.Add(*chaosTime * time.Duration(i) / time.Duration(*chaosJobs))
		pause(ctx, time.Until(due))
		group.Go(func() error {
			answer, err := c.submitOne(ctx, &switchyardv1.SubmitJobRequest{
				Command:        []string{"sh", "-c", fmt.Sprintf(`%s; sleep %.3f; exit %d`, noteRun, takes.Seconds(), i%exitCodes)},
				IdempotencyKey: fmt.Sprintf("chaos-%d", i),
				Timeout:        durationpb.New(testTimeout),
				Retries:        chaosRetries,
			})
			mu.Lock()
			defer mu.Unlock()
			ids[answer.GetJob().GetId()] = true
			return err
		})
	}
	return ids, group.Wait() //nolint:wrapcheck // it says what failed
}

// exitCodes is the number of exit codes of the jobs.
const exitCodes = 5

// awaitFinal waits until every job, retries included, has ended, and every result that an
// agent knows is recorded: a late one of a lost job comes after its retry has begun. It
// returns all jobs by ID, also with an error.
func (c *chaosRecord) awaitFinal(ctx context.Context) (map[string]*switchyardv1.Job, error) {
	began := time.Now()
	bounded, cancel := context.WithTimeoutCause(ctx, calmAfter, fmt.Errorf("not all jobs have ended %v after the last disturbance", calmAfter))
	defer cancel()
	for {
		c.known = c.results()
		jobs, open, err := c.list(ctx)
		switch {
		case err != nil:
			return nil, err
		case open == 0 && len(unrecorded(c.known, jobs)) == 0:
			c.actions = append(c.actions, fmt.Sprintf("all jobs have ended after %v", time.Since(began)))
			return jobs, nil
		case !pause(bounded, retryPause):
			return jobs, fmt.Errorf("%d jobs: %w", open, context.Cause(bounded))
		}
	}
}

// list returns all jobs by ID, and how many of them have not ended.
func (c *chaosRecord) list(ctx context.Context) (jobs map[string]*switchyardv1.Job, open int, err error) {
	jobs = map[string]*switchyardv1.Job{}
	for job, err := range c.client.Jobs(ctx, &switchyardv1.ListJobsRequest{}, 0).All() {
		if err != nil {
			return nil, 0, fmt.Errorf("listing the jobs: %w", err)
		}
		jobs[job.GetId()] = job
		if !ended(job) {
			open++
		}
	}
	return jobs, open, nil
}

func ended(job *switchyardv1.Job) bool {
	switch job.GetState() {
	case switchyardv1.JobState_JOB_STATE_FINISHED, switchyardv1.JobState_JOB_STATE_CANCELED, switchyardv1.JobState_JOB_STATE_LOST:
		return true
	default:
		return false
	}
}
