//go:build unix

package e2e_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/switchyard-ci/switchyard/internal/cluster"
)

// The defaults are what CI runs; `task chaos` runs every row for two minutes, with 1,000
// jobs.
var (
	clusterRows = flag.String("cluster", "replica killed", "rows of TestCluster, with commas between them, or all")
	clusterTime = flag.Duration("cluster-time", 20*time.Second, "how long a row of TestCluster submits jobs")
	clusterJobs = flag.Int("cluster-jobs", 150, "how many jobs a row of TestCluster submits")
)

const (
	clusterAgents  = 2
	clusterWorkers = 10 // of each agent
	// clusterCalm bounds the time in which some job must end after the last submission,
	// until all have.
	clusterCalm = 3 * time.Minute
	// slowestJob bounds the time that a job adds to a run, on a loaded machine.
	slowestJob = 100 * time.Millisecond
)

// clusterRow is a fault of a cluster. The times of its disturbances are parts of the
// time in which jobs are submitted, and lasts is how long each of them takes at most:
// what the issue names, or less in a shorter run.
type clusterRow struct {
	name    string
	lasts   time.Duration
	disturb func(ctx context.Context, r *clusterRun, lasts time.Duration) error
	// check checks what only this row shows. Nil is nothing.
	check func(ctx context.Context, t *testing.T, r *clusterRun)
}

// clusterFaults are the rows of TestCluster. Whatever the fault, no acknowledged job is
// lost or left behind, each job ID is started once, and results are kept.
var clusterFaults = []clusterRow{
	{"no fault", 0, func(context.Context, *clusterRun, time.Duration) error { return nil }, nil},
	{"replica killed", 10 * time.Second, func(ctx context.Context, r *clusterRun, lasts time.Duration) error {
		for i := range 2 {
			r.at(ctx, 0.2+0.4*float64(i))
			if err := r.kill(ctx, r.c.Replicas[i], lasts); err != nil {
				return err
			}
		}
		return nil
	}, nil},
	{"leader of the stream killed", 15 * time.Second, func(ctx context.Context, r *clusterRun, lasts time.Duration) error {
		r.at(ctx, 0.3)
		leader, err := r.leader(ctx)
		if err != nil {
			return err
		}
		return r.kill(ctx, leader, lasts)
	}, nil},
	{"follower killed", 15 * time.Second, func(ctx context.Context, r *clusterRun, lasts time.Duration) error {
		r.at(ctx, 0.3)
		follower, err := r.follower(ctx)
		if err != nil {
			return err
		}
		return r.kill(ctx, follower, lasts)
	}, nil},
	{"no quorum", 30 * time.Second, func(ctx context.Context, r *clusterRun, lasts time.Duration) error {
		r.at(ctx, 0.3)
		r.c.NATS[0].Kill()
		r.c.NATS[1].Kill()
		r.note("two NATS servers killed")
		r.watchReadiness(ctx, lasts)
		return r.start(r.c.NATS[0], r.c.NATS[1])
	}, checkNoQuorum},
	{"replica frozen", 40 * time.Second, func(ctx context.Context, r *clusterRun, lasts time.Duration) error {
		r.at(ctx, 0.2)
		return r.freeze(ctx, r.c.Replicas[0], lasts)
	}, nil},
	{"NATS server frozen", 40 * time.Second, func(ctx context.Context, r *clusterRun, lasts time.Duration) error {
		r.at(ctx, 0.2)
		leader, err := r.leader(ctx)
		if err != nil {
			return err
		}
		return r.freeze(ctx, leader, lasts)
	}, nil},
	{"cold start", 0, func(ctx context.Context, r *clusterRun, _ time.Duration) error {
		r.at(ctx, 0.4)
		r.c.Kill()
		r.note("everything killed")
		if err := r.start(r.c.NATS...); err != nil {
			return err
		}
		pause(ctx, 1200*time.Millisecond)
		return r.start(r.c.Replicas...)
	}, nil},
	{"rolling restart", 5 * time.Second, func(ctx context.Context, r *clusterRun, lasts time.Duration) error {
		r.at(ctx, 0.1)
		for _, p := range slices.Concat(r.c.Replicas, r.c.NATS) {
			if err := p.Stop(ctx); err != nil {
				return err
			}
			r.note(p.Name + " stopped")
			pause(ctx, time.Second)
			if err := r.start(p); err != nil {
				return err
			}
			pause(ctx, lasts)
		}
		return nil
	}, checkSpread},
	{"partition", 20 * time.Second, func(ctx context.Context, r *clusterRun, lasts time.Duration) error {
		for i, part := range []float64{0.15, 0.5} {
			r.at(ctx, part)
			for j, l := range r.links[i] {
				if i == 0 || j < 2 { // the first replica loses all servers, the second one two of them
					if err := l.harm(bothWays("timeout", `{"timeout": 0}`)); err != nil {
						return err
					}
				}
			}
			r.note("replica " + strconv.Itoa(i+1) + " parted from NATS servers")
			pause(ctx, lasts)
			for _, l := range r.links[i] {
				l.heal(ctx)
			}
			r.note("healed")
		}
		return nil
	}, nil},
	{"empty disk", 10 * time.Second, func(ctx context.Context, r *clusterRun, lasts time.Duration) error {
		r.at(ctx, 0.3)
		leader, err := r.leader(ctx)
		if err != nil {
			return err
		}
		leader.Kill()
		r.note(leader.Name + " killed, its disk emptied")
		if err := os.RemoveAll(filepath.Join(leader.Dir, "data")); err != nil {
			return fmt.Errorf("emptying the disk: %w", err)
		}
		pause(ctx, lasts)
		return r.start(leader)
	}, nil},
}

// TestCluster disturbs a cluster of three NATS servers and three replicas, with three
// copies and 20 workers, while jobs are submitted through every replica.
func TestCluster(t *testing.T) { //nolint:tparallel // its rows run one after the other
	skipIfShort(t)
	t.Parallel()
	program, err := cluster.BuildNATS(t.Context(), bin)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range clusterFaults {
		if *clusterRows != "all" && !slices.Contains(strings.Split(*clusterRows, ","), row.name) {
			continue
		}
		t.Run(row.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), *clusterTime+clusterCalm+testTimeout+slowestJob*time.Duration(*clusterJobs))
			defer cancel()
			r := newClusterRun(ctx, t, program)
			lasts := min(row.lasts, *clusterTime/5)
			if *clusterTime >= 2*time.Minute {
				lasts = row.lasts
			}
			disturbed := make(chan error, 1)
			r.began = time.Now()
			go func() { disturbed <- row.disturb(ctx, r, lasts) }()
			r.submitAll(ctx)
			if err := <-disturbed; err != nil {
				t.Fatal(err)
			}
			r.submitted = time.Now()
			r.awaitAll(ctx)
			r.report(t, row.name)
			if row.check != nil {
				row.check(ctx, t, r)
			}
		})
	}
}

// at waits until a part of the time for submissions has passed.
func (r *clusterRun) at(ctx context.Context, part float64) {
	pause(ctx, time.Until(r.began.Add(time.Duration(part*float64(*clusterTime)))))
}

// kill ends a process and starts it again.
func (r *clusterRun) kill(ctx context.Context, p *cluster.Process, lasts time.Duration) error {
	p.Kill()
	r.note(p.Name + " killed")
	pause(ctx, lasts)
	return r.start(p)
}

func (r *clusterRun) freeze(ctx context.Context, p *cluster.Process, lasts time.Duration) error {
	if err := p.Freeze(); err != nil {
		return err
	}
	r.note(p.Name + " frozen")
	pause(ctx, lasts)
	defer r.note(p.Name + " thawed")
	return p.Thaw()
}

func (r *clusterRun) start(processes ...*cluster.Process) error {
	for _, p := range processes {
		if err := p.Start(); err != nil {
			return err
		}
		r.note(p.Name + " started")
	}
	return nil
}

// leader returns the NATS server that leads the stream of jobs.
func (r *clusterRun) leader(ctx context.Context) (*cluster.Process, error) {
	nc, err := nats.Connect("nats://" + strings.Join(r.c.NATSAddresses, ",nats://"))
	if err != nil {
		return nil, fmt.Errorf("looking for the leader: %w", err)
	}
	defer nc.Close()
	js, err := jetstream.New(nc)
	if err != nil {
		return nil, fmt.Errorf("looking for the leader: %w", err)
	}
	stream, err := js.Stream(ctx, "SWITCHYARD_STATE")
	if err != nil {
		return nil, fmt.Errorf("looking for the leader: %w", err)
	}
	if copies := stream.CachedInfo().Config.Replicas; copies != 3 {
		return nil, fmt.Errorf("the stream of jobs has %d copies, want 3", copies)
	}
	i := slices.IndexFunc(r.c.NATS, func(p *cluster.Process) bool { return p.Name == stream.CachedInfo().Cluster.Leader })
	if i < 0 {
		return nil, fmt.Errorf("the leader %q is not a server of the cluster", stream.CachedInfo().Cluster.Leader)
	}
	return r.c.NATS[i], nil
}

// follower returns a NATS server that does not lead the stream of jobs.
func (r *clusterRun) follower(ctx context.Context) (*cluster.Process, error) {
	leader, err := r.leader(ctx)
	if err == nil && leader == r.c.NATS[0] {
		return r.c.NATS[1], nil
	}
	return r.c.NATS[0], err
}

// watchReadiness measures how long after now the replicas report that they are not
// ready, and returns after lasts.
func (r *clusterRun) watchReadiness(ctx context.Context, lasts time.Duration) {
	began := time.Now()
	for pause(ctx, 100*time.Millisecond) && time.Since(began) < lasts {
		if r.unready == 0 && r.c.Probe(ctx, 2) != nil {
			r.unready = time.Since(began)
		}
	}
}

// checkNoQuorum checks that the loss of the quorum is seen within seconds.
func checkNoQuorum(_ context.Context, t *testing.T, r *clusterRun) {
	t.Helper()
	const readiness = 10 * time.Second
	t.Logf("a replica was not ready %v after the loss of the quorum", r.unready.Round(time.Millisecond))
	if r.unready == 0 || r.unready > readiness {
		t.Errorf("a replica was not ready %v after the loss of the quorum, want at most %v", r.unready, readiness)
	}
	if r.slowestError > slowestRefusal {
		t.Errorf("the slowest error took %v, want at most %v", r.slowestError, slowestRefusal)
	}
	if len(r.errors) == 0 {
		t.Error("no submission failed without a quorum")
	}
}
