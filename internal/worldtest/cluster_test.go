package worldtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/freeport"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	clusterNodes   = 3
	clusterJobs    = 1500
	clusterWorkers = 20
	submitters     = 8
	// clusterTime is far more than the jobs take.
	clusterTime = 5 * time.Minute
	// moveTime bounds the search for a leader that has no watch beside it.
	moveTime = 20 * time.Second
)

// Jobs that are submitted through one replica reach the workers of another one at once,
// though its watch is on a node that receives records before the leader of the stream
// has them in its own copy. No job is forgotten, and no acceptance is refused. That
// holds wherever the watches are, so the test goes on if the leader cannot be moved
// away from them, as on a machine that is too busy for elections.
func TestWatchAheadOfTheLeader(t *testing.T) {
	if testing.Short() {
		t.Skip("starts three NATS servers")
	}
	ctx, cancel := context.WithTimeout(t.Context(), clusterTime)
	defer cancel()
	nodes := startCluster(ctx, t)
	submitting, working := clusterReplica(ctx, t, nodes[0]), clusterReplica(ctx, t, nodes[1])
	js := clusterClient(t, nodes[2])
	moveLeader(ctx, t, js, nodes)

	var offered sync.Map // how often, by job
	var workers, submits errgroup.Group
	workersCtx, stop := context.WithCancel(ctx)
	defer stop()
	left := make(chan string, clusterJobs)
	for i := range clusterWorkers {
		id := registerAgain(ctx, t, working, fmt.Sprint("w", i))
		workers.Go(func() error { return work(workersCtx, working, id, left) })
	}
	for range submitters {
		submits.Go(func() error {
			for range clusterJobs / submitters {
				submitted := record.Job{Command: []string{"true"}, IdempotencyKey: rand.Text()}
				err := again(ctx, func() error {
					job, _, err := submitting.Submit(ctx, submitted)
					if err == nil {
						offered.Store(job.ID, true)
					}
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	must(t, submits.Wait())
	for n := range clusterJobs / submitters * submitters {
		select {
		case id := <-left:
			if _, known := offered.LoadAndDelete(id); !known {
				t.Errorf("job %s was finished, and is not one of the submitted", id)
			}
		case <-ctx.Done():
			t.Errorf("%d jobs of %d were finished", n, clusterJobs)
			return
		}
	}
	stop()
	must(t, workers.Wait())
	oneStreamSurvives(ctx, t, submitting, working)
}

// oneStreamSurvives opens two streams of a worker at once at two replicas, whose servers
// deliver signals in different orders, for each of many workers.
func oneStreamSurvives(ctx context.Context, t *testing.T, replicas ...*dispatch.Dispatcher) {
	t.Helper()
	const rounds = 100
	var opening errgroup.Group
	ids := make([]string, rounds)
	for i := range ids {
		ids[i] = registerAgain(ctx, t, replicas[0], fmt.Sprint("twice", i))
	}
	feeds := make([]*dispatch.Feed, rounds*len(replicas))
	for i := range feeds {
		opening.Go(func() error {
			return again(ctx, func() (err error) {
				feeds[i], err = replicas[i%len(replicas)].Attach(ctx, ids[i/len(replicas)])
				return err
			})
		})
	}
	must(t, opening.Wait())
	open := func(feed *dispatch.Feed) bool {
		for {
			if _, more, err := feed.Take(); err != nil || !more {
				return !errors.Is(err, dispatch.ErrSuperseded)
			}
		}
	}
	survivors := func() (counts [3]int) {
		for i := range rounds {
			n := 0
			for _, feed := range feeds[i*len(replicas) : (i+1)*len(replicas)] {
				if open(feed) {
					n++
				}
			}
			counts[n]++
		}
		return counts
	}
	eventually(ctx, t, "one stream of each worker is open", func() error {
		if counts := survivors(); counts[2] > 0 {
			return fmt.Errorf("two streams are open of %d workers", counts[2])
		}
		return nil
	})
	if counts := survivors(); counts[1] != rounds {
		t.Errorf("one stream survived of %d workers of %d, and none of %d", counts[1], rounds, counts[0])
	}
	for _, feed := range feeds {
		feed.Close()
	}
}

// work runs the jobs of a worker's stream until the context ends. An error is a call
// that was refused.
func work(ctx context.Context, d *dispatch.Dispatcher, workerID string, finished chan<- string) error {
	var feed *dispatch.Feed
	err := again(ctx, func() (err error) {
		feed, err = d.Attach(ctx, workerID)
		return err
	})
	if err != nil {
		return err
	}
	defer feed.Close()
	for {
		in, more, err := feed.Take()
		if err != nil && ctx.Err() == nil {
			return err
		}
		if !more {
			ready := make(chan struct{})
			feed.Notify(func() { close(ready) })
			select {
			case <-ready:
			case <-ctx.Done():
				return nil
			}
		}
		if in.Kind != wire.JobAssigned {
			continue
		}
		var token string
		err = again(ctx, func() (err error) {
			_, token, err = d.Accept(ctx, workerID, in.JobID)
			return err
		})
		if err != nil {
			return fmt.Errorf("accepting: %w", err)
		}
		var grant dispatch.JobGrant
		for _, call := range []func() error{
			func() (err error) { grant, err = d.AuthorizeJob(ctx, token); return err },
			func() error { return grant.Start(ctx, time.Time{}) },
			func() error { return grant.Finish(ctx, wire.FinishRequest{ExitStatus: "0"}) },
		} {
			if err := again(ctx, call); err != nil {
				return fmt.Errorf("running: %w", err)
			}
		}
		finished <- in.JobID
	}
}

// again repeats a call while the store does not respond, as on a busy machine whose servers
// elect a leader: that refuses nothing. Each call may be repeated.
func again(ctx context.Context, call func() error) error {
	for {
		if err := call(); !errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
			return err
		}
	}
}

// registerAgain registers a worker, and returns its ID.
func registerAgain(ctx context.Context, t *testing.T, d *dispatch.Dispatcher, name string) (id string) {
	t.Helper()
	must(t, again(ctx, func() error {
		w, _, err := d.Register(ctx, record.Worker{Name: name})
		id = w.ID
		return err
	}))
	return id
}

// startCluster starts three NATS servers on loopback, as an operator would.
func startCluster(ctx context.Context, t *testing.T) []*server.Server {
	t.Helper()
	ports, err := freeport.Ports(t.Context(), clusterNodes)
	must(t, err)
	routes := make([]string, clusterNodes)
	for i, port := range ports {
		routes[i] = fmt.Sprintf("nats-route://127.0.0.1:%d", port)
	}
	nodes := make([]*server.Server, clusterNodes)
	for i, port := range ports {
		node, err := server.NewServer(&server.Options{
			ServerName: fmt.Sprint("n", i), Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(),
			Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: port},
			Routes:  server.RoutesFromStr(strings.Join(routes, ",")), NoSigs: true, NoLog: true,
		})
		must(t, err)
		nodes[i] = node
		node.Start()
		t.Cleanup(func() {
			node.Shutdown()
			node.WaitForShutdown()
		})
	}
	for _, node := range nodes {
		if !node.ReadyForConnections(time.Minute) {
			t.Fatal("a NATS server is not ready")
		}
	}
	eventually(ctx, t, "the cluster has elected a leader", func() error {
		if slices.ContainsFunc(nodes, (*server.Server).JetStreamIsLeader) {
			return nil
		}
		return errors.New("no leader")
	})
	return nodes
}

// clusterReplica starts a replica of the control plane on one node, with three copies
// of every stream.
func clusterReplica(ctx context.Context, t *testing.T, node *server.Server) *dispatch.Dispatcher {
	t.Helper()
	st, err := store.Open(ctx, store.Options{URL: node.ClientURL(), Replicas: clusterNodes})
	must(t, err)
	t.Cleanup(st.Close)
	d, err := dispatch.New(ctx, st, dispatch.Options{})
	must(t, err)
	t.Cleanup(d.Close)
	return d
}

func clusterClient(t *testing.T, node *server.Server) jetstream.JetStream {
	t.Helper()
	nc, err := nats.Connect(node.ClientURL())
	must(t, err)
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	must(t, err)
	return js
}

// moveLeader moves the leader of the state's stream until every watch is on another
// node, or until moveTime has passed.
func moveLeader(ctx context.Context, t *testing.T, js jetstream.JetStream, nodes []*server.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(ctx, moveTime)
	defer cancel()
	err := retry(ctx, func() error {
		stream, err := js.Stream(ctx, stateStream)
		if err != nil {
			return err
		}
		leader := stream.CachedInfo().Cluster.Leader
		watches := stream.ListConsumers(ctx)
		var beside bool
		for watch := range watches.Info() { // to its end, or it leaves a goroutine
			beside = beside || watch.Cluster.Leader == leader
		}
		if err := watches.Err(); err != nil || !beside {
			return err
		}
		for _, node := range nodes {
			if node.Name() == leader {
				err = node.JetStreamStepdownStream("$G", stateStream)
			}
		}
		return errors.Join(err, fmt.Errorf("a watch is on %s, with the leader", leader))
	})
	if err != nil {
		t.Logf("the leader has a watch beside it: %v", err)
	}
}

// eventually waits until a condition holds.
func eventually(ctx context.Context, t *testing.T, what string, holds func() error) {
	t.Helper()
	if err := retry(ctx, holds); err != nil {
		t.Fatalf("never: %s: %v", what, err)
	}
}

// retry calls f until it returns nil, or returns its last error when the context ends.
func retry(ctx context.Context, f func() error) error {
	tick := time.NewTicker(eventuallyInterval)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return err
		}
	}
}

const eventuallyInterval = 300 * time.Millisecond
