package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/faultproxy"
	"github.com/switchyard-ci/switchyard/internal/freeport"
	"github.com/switchyard-ci/switchyard/internal/scripttest"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// submitters is how many submissions run at once.
	submitters = 8
	// betweenCuts and whileCut bound the random times between two cuts of the
	// streams, and for which they are cut.
	betweenCuts = 1500 * time.Millisecond
	whileCut    = 500 * time.Millisecond
	// kills is how often the control plane is killed: each time after betweenKills
	// more jobs have finished, and a random time of at most untilKill.
	kills        = 3
	betweenKills = 30
	untilKill    = 500 * time.Millisecond
	// retryPause is the time before a failed call is tried again.
	retryPause = 50 * time.Millisecond
	// testTimeout bounds a whole test, on a loaded machine too.
	testTimeout = 4 * time.Minute

	// noteRun is the command with which a job notes that it runs.
	noteRun = `echo "$BUILDKITE_JOB_ID" >> "$HOME/runs"`
)

// TestFleet runs many jobs on many workers during disturbances: each job must run
// exactly once, and none may be lost.
func TestFleet(t *testing.T) {
	skipIfShort(t)
	t.Parallel()
	for _, row := range []struct {
		name          string
		workers, jobs int
		// disturb runs until the context ends, and returns how often it disturbed.
		disturb func(*fleet, context.Context) (int, error)
		// shows lists events of workers that must happen, so that the test shows
		// something.
		shows []string
	}{
		{"streams cut", 50, 500, (*fleet).cutAtRandom, []string{"StreamLost", "ReceivedJob", "AnsweredJob"}},
		{"control plane killed", 20, 200, (*fleet).killAtRandom, []string{"StreamLost", "ReceivedJob"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
			defer cancel()
			f := newFleet(ctx, t)
			f.joinByProxy(ctx, t, row.workers)
			disturbing, stop := context.WithCancel(ctx)
			defer stop()
			var disturbances int
			disturbed := make(chan error)
			go func() {
				var err error
				disturbances, err = row.disturb(f, disturbing)
				disturbed <- err
			}()
			jobs, err := f.submit(ctx, row.jobs, &switchyardv1.SubmitJobRequest{
				Command: []string{"sh", "-c", noteRun + "; sleep 0.3"}, IdempotencyKey: "fleet",
			})
			if err == nil {
				err = f.await(ctx, jobs)
			}
			stop()
			if err = errors.Join(err, <-disturbed); err != nil {
				t.Fatal(err)
			}
			f.leave(ctx, t)
			f.check(t, jobs)
			f.shown(t, disturbances, row.shows)
		})
	}
}

// fleet is a control plane and agents with many workers, each a process.
type fleet struct {
	dir       string
	server    *scripttest.Process
	agents    []*scripttest.Process
	listen    string   // where the control plane listens
	serveArgs []string // more arguments of the control plane
	proxy     *faultproxy.Proxy
	client    *client.Client

	mu      sync.Mutex
	started []*scripttest.Process // all, in order
}

// newFleet starts a control plane without agents.
func newFleet(ctx context.Context, t *testing.T, serveArgs ...string) *fleet {
	t.Helper()
	listen, err := freeport.Addresses(ctx, 1)
	if err != nil {
		t.Fatal(err)
	}
	f := &fleet{dir: t.TempDir(), listen: listen[0], serveArgs: serveArgs}
	t.Cleanup(func() {
		for _, p := range f.started {
			p.Kill()
			if t.Failed() {
				t.Logf("the last output of %s:\n%s", p.Name, tail(p.Stderr()))
			}
		}
		if left := endLeftovers(f.dir, !t.Failed()); !t.Failed() && len(left) > 0 {
			t.Errorf("processes were left behind: %q", left)
		}
	})

	if err := f.serve(ctx); err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(f.dir, "data", "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	f.client, err = client.New(client.Options{Endpoints: []string{"http://" + f.listen}, Token: strings.TrimSpace(string(token))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.client.Close)
	return f
}

// joinByProxy starts an agent that reaches the control plane through a proxy.
func (f *fleet) joinByProxy(ctx context.Context, t *testing.T, workers int) {
	t.Helper()
	var err error
	if f.proxy, err = faultproxy.Start(ctx, "http://"+f.listen); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	f.join(t, "fleet", f.proxy.URL(), workers)
}

// join starts an agent.
func (f *fleet) join(t *testing.T, name, url string, workers int, args ...string) *scripttest.Process {
	t.Helper()
	agent, err := f.run(name, append([]string{
		"agent", "start", "--endpoint", url + wire.Prefix,
		"--spawn", strconv.Itoa(workers), "--name", name, "--log-level", "debug",
	}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	f.agents = append(f.agents, agent)
	return agent
}

// run starts the program, which is killed at the end of the test.
func (f *fleet) run(name string, args ...string) (*scripttest.Process, error) {
	p, err := scripttest.Start(name, f.dir, []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + f.dir, "GORACE=halt_on_error=1",
		"SWITCHYARD_DATA_DIR=" + filepath.Join(f.dir, "data"), "SWITCHYARD_LOG_FORMAT=json",
	}, programPath(), args...)
	if err == nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.started = append(f.started, p)
	}
	return p, err
}

// serve starts the control plane, always on the same port, and waits until it is up.
func (f *fleet) serve(ctx context.Context) error {
	var err error
	f.server, err = f.run("server", append([]string{
		"server", "start", "--listen", f.listen, "--ping-interval", "1s",
	}, f.serveArgs...)...)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, scripttest.Patience)
	defer cancel()
	_, _, ok := f.server.Journal.Await(ctx, scripttest.Position{}, regexp.MustCompile(`for people and programs +http://(\S+)$`))
	if !ok {
		return errors.New("the control plane does not come up")
	}
	return nil
}

// submit submits n jobs like the given one, whose idempotency key begins theirs, and
// returns their IDs.
func (f *fleet) submit(ctx context.Context, n int, like *switchyardv1.SubmitJobRequest) ([]string, error) {
	ids := make([]string, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(submitters)
	for i := range ids {
		group.Go(func() error {
			answer, err := f.submitOne(ctx, &switchyardv1.SubmitJobRequest{
				Command:        like.GetCommand(),
				Queue:          like.GetQueue(),
				IdempotencyKey: fmt.Sprintf("%s-%d", like.GetIdempotencyKey(), i),
				Timeout:        durationpb.New(testTimeout),
			})
			ids[i] = answer.GetJob().GetId()
			return err
		})
	}
	return ids, group.Wait() //nolint:wrapcheck // it says what failed
}

// submitOne submits a job until the control plane has acknowledged it. Because of
// its idempotency key it stays one job.
func (f *fleet) submitOne(ctx context.Context, job *switchyardv1.SubmitJobRequest) (*switchyardv1.SubmitJobResponse, error) {
	for {
		answer, err := f.client.Submit(ctx, job)
		if err == nil || !pause(ctx, retryPause) {
			return answer, err //nolint:wrapcheck // it says what failed
		}
	}
}

// await waits until every job has finished with exit status 0.
func (f *fleet) await(ctx context.Context, ids []string) error {
	for _, id := range ids {
		job, err := f.follow(ctx, id)
		if err != nil {
			return err
		}
		if job.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED || job.GetExitStatus() != "0" {
			return fmt.Errorf("job %s: %v, exit status %q", id, job.GetState(), job.GetExitStatus())
		}
	}
	return nil
}

// follow waits for a job's end while the control plane restarts. The client itself
// does not retry a first connection.
func (f *fleet) follow(ctx context.Context, id string) (*switchyardv1.Job, error) {
	for {
		job, err := f.client.Follow(ctx, id, client.FollowOptions{}, noEvents{})
		if err == nil || !pause(ctx, retryPause) {
			return job, err //nolint:wrapcheck // it says what failed
		}
	}
}

// leave drains the agents and shuts the control plane down in order.
func (f *fleet) leave(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, p := range append(slices.Clone(f.agents), f.server) {
		if err := p.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		code, err := p.Wait(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if code != "0" {
			t.Errorf("%s ended with %s", p.Name, code)
		}
	}
}

// check checks that each job ran once.
func (f *fleet) check(t *testing.T, ids []string) {
	t.Helper()
	notes, err := os.ReadFile(filepath.Join(f.dir, "runs"))
	if err != nil {
		t.Fatal(err)
	}
	runs := map[string]int{}
	for id := range strings.Lines(string(notes)) {
		runs[strings.TrimSpace(id)]++
	}
	for _, id := range ids {
		if runs[id] != 1 {
			t.Errorf("job %s ran %d times", id, runs[id])
		}
		delete(runs, id)
	}
	for id := range runs {
		t.Errorf("job %s ran, and was not submitted", id)
	}
}

// shown checks that there were disturbances and that the events happened, so that a
// test which disturbs nothing fails.
func (f *fleet) shown(t *testing.T, disturbances int, events []string) {
	t.Helper()
	counts := map[string]int{}
	event := regexp.MustCompile(`"event":"(\w+)`)
	for _, agent := range f.agents {
		lines, _ := agent.Journal.Lines(0)
		for _, line := range lines {
			if groups := event.FindStringSubmatch(line); groups != nil {
				counts[groups[1]]++
			}
		}
	}
	t.Logf("%d disturbances; events of the workers: %v", disturbances, counts)
	for _, e := range events {
		if counts[e] == 0 || disturbances == 0 {
			t.Errorf("%d disturbances, and %s happened %d times", disturbances, e, counts[e])
		}
	}
}

// cutAtRandom cuts all streams and restores them until the context ends. It returns
// how often it did.
func (f *fleet) cutAtRandom(ctx context.Context) (int, error) {
	const stream = agentedgev1connect.AgentEdgeServiceStreamPingsProcedure
	for n := 0; ; n++ {
		if !pause(ctx, rand.N(betweenCuts)) { //nolint:gosec // no secret
			return n, nil
		}
		f.proxy.Cut(stream)
		pause(ctx, rand.N(whileCut)) //nolint:gosec // no secret
		f.proxy.Heal(stream)
	}
}

// killAtRandom kills the control plane and starts it again, a few times while jobs
// run. It returns how often it did.
func (f *fleet) killAtRandom(ctx context.Context) (int, error) {
	finished := regexp.MustCompile(`"event":"JobFinished`)
	var at scripttest.Position
	for n := range kills {
		for range betweenKills {
			var ok bool
			if _, at, ok = f.agents[0].Journal.Await(ctx, at, finished); !ok {
				return n, nil
			}
		}
		if !pause(ctx, rand.N(untilKill)) { //nolint:gosec // no secret
			return n, nil
		}
		f.server.Kill()
		if err := f.serve(context.WithoutCancel(ctx)); err != nil { // it must run again even after ctx has ended
			return n, err
		}
	}
	return kills, nil
}

// pause waits, and reports whether the context has not ended before.
func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func tail(output []byte) []byte {
	const last = 8 << 10
	return output[max(0, len(output)-last):]
}

// noEvents follows a job and ignores its events.
type noEvents struct{}

func (noEvents) Job(*switchyardv1.Job) error      { return nil }
func (noEvents) Log(*switchyardv1.LogChunk) error { return nil }
func (noEvents) Interrupted(error, time.Time)     {}
func (noEvents) Reconnected()                     {}
