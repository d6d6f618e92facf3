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
	"github.com/switchyard-ci/switchyard/internal/scripttest"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// submitters is how many submit at once.
	submitters = 8
	// The streams are cut after a random part of betweenCuts, for a random part
	// of whileCut.
	betweenCuts = 1500 * time.Millisecond
	whileCut    = 500 * time.Millisecond
	// kills is how often a control plane is killed: each time after so many more
	// jobs have finished, and a random part of untilKill.
	kills        = 3
	betweenKills = 30
	untilKill    = 500 * time.Millisecond
	// lookAgain is the time before what failed is tried again.
	lookAgain = 50 * time.Millisecond
	// aLoadedMachine bounds a whole test.
	aLoadedMachine = 4 * time.Minute

	// noteRun is how a job notes in a script that it runs.
	noteRun = `echo "$BUILDKITE_JOB_ID" >> "$HOME/runs"`
)

// TestFleet has many workers run many jobs while something goes wrong: each job
// must run exactly once, and none be lost.
func TestFleet(t *testing.T) {
	skipIfShort(t)
	for _, row := range []struct {
		name          string
		workers, jobs int
		// disturb goes on until the context ends, and returns how often it did harm.
		disturb func(*fleet, context.Context) (int, error)
		// shows are the workers' events without which the test has shown nothing.
		shows []string
	}{
		{"streams cut", 50, 500, (*fleet).cutAtRandom, []string{"StreamLost", "ReceivedJob", "AnsweredJob"}},
		{"control plane killed", 20, 200, (*fleet).killAtRandom, []string{"StreamLost", "ReceivedJob"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), aLoadedMachine)
			defer cancel()
			f := newFleet(ctx, t)
			f.joinByProxy(ctx, t, row.workers)
			disturbing, calm := context.WithCancel(ctx)
			defer calm()
			var harm int
			disturbed := make(chan error)
			go func() {
				var err error
				harm, err = row.disturb(f, disturbing)
				disturbed <- err
			}()
			jobs, err := f.submit(ctx, row.jobs, &switchyardv1.SubmitJobRequest{
				Command: []string{"sh", "-c", noteRun + "; sleep 0.3"}, IdempotencyKey: "fleet",
			})
			if err == nil {
				err = f.await(ctx, jobs)
			}
			calm()
			if err = errors.Join(err, <-disturbed); err != nil {
				t.Fatal(err)
			}
			f.leave(ctx, t)
			f.check(t, jobs)
			f.shown(t, harm, row.shows)
		})
	}
}

// fleet is a control plane and agents of many workers, each a process.
type fleet struct {
	dir       string
	server    *scripttest.Process
	agents    []*scripttest.Process
	listen    string   // where the control plane listens
	serveArgs []string // of the control plane, beside those that all have
	proxy     *faultproxy.Proxy
	client    *client.Client

	mu      sync.Mutex
	started []*scripttest.Process // all, in order
}

// newFleet starts a control plane. Agents join it later.
func newFleet(ctx context.Context, t *testing.T, serveArgs ...string) *fleet {
	t.Helper()
	f := &fleet{dir: t.TempDir(), listen: "127.0.0.1:0", serveArgs: serveArgs}
	t.Cleanup(func() {
		for _, p := range f.started {
			p.Kill()
			if t.Failed() {
				t.Logf("%s wrote last:\n%s", p.Name, tail(p.Stderr()))
			}
		}
		if left := endLeftovers(f.dir, !t.Failed()); !t.Failed() && len(left) > 0 {
			t.Errorf("processes were left behind: %q", left)
		}
	})

	err := f.serve(ctx)
	if err != nil {
		t.Fatal(err)
	}
	token, err := os.ReadFile(filepath.Join(f.dir, "data", "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	f.client, err = client.New(client.Options{Endpoint: "http://" + f.listen, Token: strings.TrimSpace(string(token))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.client.Close)
	return f
}

// joinByProxy starts an agent that reaches the control plane by a proxy.
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

// run starts the program; it is killed at the test's end.
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

// serve starts the control plane, on the port that it had before, and waits
// until it is up.
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
	groups, _, ok := f.server.Journal.Await(ctx, 0, regexp.MustCompile(`for people and programs +http://(\S+)$`))
	if !ok {
		return errors.New("the control plane does not come up")
	}
	f.listen = groups[1]
	return nil
}

// submit submits so many jobs like that one, whose key is the beginning of theirs,
// and returns their ids.
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
				Timeout:        durationpb.New(aLoadedMachine),
			})
			ids[i] = answer.GetJob().GetId()
			return err
		})
	}
	return ids, group.Wait() //nolint:wrapcheck // it says what failed
}

// submitOne submits a job again until the control plane has acknowledged it; its
// key keeps it one job.
func (f *fleet) submitOne(ctx context.Context, job *switchyardv1.SubmitJobRequest) (*switchyardv1.SubmitJobResponse, error) {
	for {
		answer, err := f.client.Submit(ctx, job)
		if err == nil || !pause(ctx, lookAgain) {
			return answer, err //nolint:wrapcheck // it says what failed
		}
	}
}

// await waits until every job has finished well.
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

// follow waits for a job's end, however often the control plane goes away: a
// first connection that fails is not tried again by the client itself.
func (f *fleet) follow(ctx context.Context, id string) (*switchyardv1.Job, error) {
	for {
		job, err := f.client.Follow(ctx, id, client.FollowOptions{}, deaf{})
		if err == nil || !pause(ctx, lookAgain) {
			return job, err //nolint:wrapcheck // it says what failed
		}
	}
}

// leave drains the agents and ends the control plane in good order.
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

// check counts how often each job ran.
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

// shown counts what happened to the workers, so that a test which no longer
// does any harm is noticed.
func (f *fleet) shown(t *testing.T, harm int, events []string) {
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
	t.Logf("harm was done %d times; events of the workers: %v", harm, counts)
	for _, e := range events {
		if counts[e] == 0 || harm == 0 {
			t.Errorf("harm was done %d times, and %s happened %d times", harm, e, counts[e])
		}
	}
}

// cutAtRandom cuts all streams and heals them until the context ends, and
// returns how often it did.
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

// killAtRandom kills the control plane and starts it again, a few times while
// jobs run, and returns how often it did.
func (f *fleet) killAtRandom(ctx context.Context) (int, error) {
	finished := regexp.MustCompile(`"event":"JobFinished`)
	for n, line := 0, 0; n < kills; n++ {
		for range betweenKills {
			var ok bool
			if _, line, ok = f.agents[0].Journal.Await(ctx, line, finished); !ok {
				return n, nil
			}
		}
		if !pause(ctx, rand.N(untilKill)) { //nolint:gosec // no secret
			return n, nil
		}
		f.server.Kill()
		if err := f.serve(context.WithoutCancel(ctx)); err != nil { // calm or not, it must come back
			return n, err
		}
	}
	return kills, nil
}

// pause waits, and reports whether the wait ended before the context did.
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

// deaf follows a job for its end alone.
type deaf struct{}

func (deaf) Job(*switchyardv1.Job) error      { return nil }
func (deaf) Log(*switchyardv1.LogChunk) error { return nil }
func (deaf) Interrupted(error, time.Time)     {}
func (deaf) Reconnected()                     {}
