package e2e_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/faultproxy"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	fleetWorkers = 50
	fleetJobs    = 500
	// submitters is how many submit at once.
	submitters = 8
	// The streams are cut after a random part of betweenCuts, for a random part
	// of whileCut.
	betweenCuts = 1500 * time.Millisecond
	whileCut    = 500 * time.Millisecond
	// aLoadedMachine bounds the whole test.
	aLoadedMachine = 4 * time.Minute
)

// TestFleet has 50 workers run 500 jobs while their streams are cut at random:
// each job must run exactly once, and none be lost.
func TestFleet(t *testing.T) {
	skipIfShort(t)
	ctx, cancel := context.WithTimeout(t.Context(), aLoadedMachine)
	defer cancel()
	f := newFleet(ctx, t)

	cutting, stopCutting := context.WithCancel(ctx)
	cuts := make(chan int)
	go func() { cuts <- cutAtRandom(cutting, f.proxy) }()
	jobs, err := f.submit(ctx)
	if err == nil {
		err = f.await(ctx, jobs)
	}
	stopCutting()
	n := <-cuts
	if err != nil {
		t.Fatal(err)
	}

	f.leave(ctx, t)
	f.check(t, jobs)
	ways := map[string]int{}
	lines, _ := f.agent.journal.lines(0)
	for _, event := range []string{"StreamLost", "ReceivedJob", "AnsweredJob", "JobRejected"} {
		pattern := regexp.MustCompile(`"event":"` + event)
		for _, line := range lines {
			if pattern.MatchString(line) {
				ways[event]++
			}
		}
	}
	t.Logf("streams cut %d times; events of the workers: %v", n, ways)
	if n == 0 || ways["StreamLost"] < fleetWorkers || ways["ReceivedJob"] == 0 || ways["AnsweredJob"] == 0 {
		t.Errorf("streams cut %d times, events %v: the test has not shown what it is for", n, ways)
	}
}

// fleet is a control plane and an agent of many workers, each a process, with a
// proxy between them.
type fleet struct {
	dir           string
	server, agent *process
	proxy         *faultproxy.Proxy
	client        *client.Client
}

func newFleet(ctx context.Context, t *testing.T) *fleet {
	t.Helper()
	f := &fleet{dir: t.TempDir()}
	data := filepath.Join(f.dir, "data")
	env := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + f.dir, "SWITCHYARD_DATA_DIR=" + data, "SWITCHYARD_LOG_FORMAT=json"}
	program := filepath.Join(bin, "switchyard")
	run := func(name string, args ...string) *process {
		p, err := startProcess(name, f.dir, env, program, args...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			p.kill()
			if t.Failed() {
				t.Logf("%s wrote last:\n%s", name, tail(p.stderr))
			}
		})
		return p
	}
	t.Cleanup(func() {
		if left := endLeftovers(f.dir, !t.Failed()); !t.Failed() && len(left) > 0 {
			t.Errorf("processes were left behind: %q", left)
		}
	})

	f.server = run("server", "server", "start", "--listen", "127.0.0.1:0", "--ping-interval", "1s")
	groups, _, ok := f.server.journal.await(ctx, 0, regexp.MustCompile(`for people and programs +(http://\S+)$`))
	if !ok {
		t.Fatal("the control plane does not come up")
	}
	var err error
	if f.proxy, err = faultproxy.Start(ctx, groups[1]); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.proxy.Close(); err != nil {
			t.Error(err)
		}
	})
	token, err := os.ReadFile(filepath.Join(data, "admin-token"))
	if err != nil {
		t.Fatal(err)
	}
	f.client, err = client.New(client.Options{Endpoint: groups[1], Token: strings.TrimSpace(string(token))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.client.Close)
	f.agent = run("agent", "agent", "start", "--endpoint", f.proxy.URL()+"/v3", "--spawn", fmt.Sprint(fleetWorkers),
		"--name", "fleet", "--log-level", "debug")
	return f
}

// submit submits the jobs, each of which notes its id, and returns their ids.
func (f *fleet) submit(ctx context.Context) ([]string, error) {
	ids := make([]string, fleetJobs)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(submitters)
	for i := range ids {
		group.Go(func() error {
			answer, err := f.client.Submit(ctx, &switchyardv1.SubmitJobRequest{
				Command:        []string{"sh", "-c", `echo "$BUILDKITE_JOB_ID" >> "$HOME/runs"; sleep 0.3`},
				IdempotencyKey: fmt.Sprintf("fleet-%d", i),
				Timeout:        durationpb.New(aLoadedMachine),
			})
			ids[i] = answer.GetJob().GetId()
			return err //nolint:wrapcheck // it says what failed
		})
	}
	return ids, group.Wait() //nolint:wrapcheck // as above
}

// await waits until every job has finished well.
func (f *fleet) await(ctx context.Context, ids []string) error {
	for _, id := range ids {
		job, err := f.client.Follow(ctx, id, client.FollowOptions{}, deaf{})
		if err != nil {
			return err //nolint:wrapcheck // it says what failed
		}
		if job.GetState() != switchyardv1.JobState_JOB_STATE_FINISHED || job.GetExitStatus() != "0" {
			return fmt.Errorf("job %s: %v, exit status %q", id, job.GetState(), job.GetExitStatus())
		}
	}
	return nil
}

// leave drains the agent and ends the control plane in good order.
func (f *fleet) leave(ctx context.Context, t *testing.T) {
	t.Helper()
	for _, p := range []*process{f.agent, f.server} {
		if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		code, err := p.ended(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if code != "0" {
			t.Errorf("%s ended with %s", p.name, code)
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

// cutAtRandom cuts all streams and heals them until the context ends, and
// returns how often it did.
func cutAtRandom(ctx context.Context, proxy *faultproxy.Proxy) int {
	const stream = agentedgev1connect.AgentEdgeServiceStreamPingsProcedure
	for n := 0; ; n++ {
		if !pause(ctx, rand.N(betweenCuts)) { //nolint:gosec // no secret
			return n
		}
		proxy.Cut(stream)
		pause(ctx, rand.N(whileCut)) //nolint:gosec // no secret
		proxy.Heal(stream)
	}
}

// pause waits, and says whether the context has let it.
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
func (deaf) Log(*switchyardv1.LogPiece) error { return nil }
func (deaf) Interrupted(error, time.Time)     {}
func (deaf) Reconnected()                     {}
