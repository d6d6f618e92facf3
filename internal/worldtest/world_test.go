package worldtest

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
	"github.com/switchyard-ci/switchyard/transport"
)

// world is a control plane, agents, an operator and what they have seen. Its steps are
// done by one goroutine.
type world struct {
	t      *testing.T
	logger *zap.Logger
	ctx    context.Context //nolint:containedctx // of the bubble
	end    context.CancelFunc

	storage  *storage
	terms    schedule.Terms
	replicas []*replica // nil where a replica is down
	clocks   []*wallClock
	faults   *faults
	agents   []*agent
	client   *http.Client
	jobs     switchyardv1connect.JobServiceClient
	workers  switchyardv1connect.WorkerServiceClient
	calls    sync.WaitGroup

	mu        sync.Mutex
	next      int // the replica for the next connection
	keys      int
	submitted map[string]bool     // acknowledged job IDs
	required  map[string][]string // the tags of each, as submitted
	starts    map[string][]string
	results   map[string]wire.FinishRequest
	revoked   map[string]bool // whether the revocation that was asked for is acknowledged, by worker ID
	wrong     []string
}

// newWorld starts a world with a number of replicas and one agent for each mode.
func newWorld(t *testing.T, replicas int, modes ...fsm.Mode) *world {
	t.Helper()
	return newWorldWithTerms(t, worldTerms, replicas, modes...)
}

func newWorldWithTerms(t *testing.T, terms schedule.Terms, replicas int, modes ...fsm.Mode) *world {
	t.Helper()
	w := &world{
		t: t, logger: worldLogger(), storage: newStorage(t, t.TempDir()), terms: terms, faults: newFaults(),
		replicas: make([]*replica, replicas), clocks: make([]*wallClock, replicas),
		submitted: map[string]bool{}, required: map[string][]string{}, starts: map[string][]string{}, results: map[string]wire.FinishRequest{},
		revoked: map[string]bool{},
	}
	w.ctx, w.end = context.WithCancel(context.Background())
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	w.client = &http.Client{Transport: &http.Transport{Protocols: protocols, DialContext: w.dial}}
	w.jobs = switchyardv1connect.NewJobServiceClient(w.client, "http://control.test", authorized())
	w.workers = switchyardv1connect.NewWorkerServiceClient(w.client, "http://control.test", authorized())
	for i := range replicas {
		w.clocks[i] = new(wallClock)
		w.startReplica(i)
	}
	for _, mode := range modes {
		w.join(mode, transport.StreamAuto)
	}
	return w
}

// join starts an agent on a new machine.
func (w *world) join(mode fsm.Mode, protocol transport.StreamProtocol) *agent {
	dir, err := spool.Open(w.t.TempDir(), nil)
	must(w.t, err)
	w.t.Cleanup(func() { must(w.t, dir.Close()) })
	i := len(w.agents)
	m := &machine{name: "m" + strconv.Itoa(i), queue: wire.DefaultQueue, tags: machineTags(i), mode: mode, protocol: protocol, spool: dir}
	a := w.startAgent(m, uint64(i)) //nolint:gosec // small
	w.agents = append(w.agents, a)
	return a
}

// replica returns a replica, or nil if it is down.
func (w *world) replica(i int) *replica {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.replicas[i]
}

// close ends everything, so that no goroutine is left in the bubble.
func (w *world) close() {
	for _, a := range w.agents {
		a.kill()
	}
	w.end()
	w.calls.Wait()
	w.client.CloseIdleConnections()
	for _, r := range w.replicas {
		if r != nil {
			r.kill()
		}
	}
	w.storage.stop()
}

func (w *world) failf(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wrong = append(w.wrong, fmt.Sprintf(format, args...))
}

func (w *world) isWrong() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.wrong) > 0
}

// noteRevoked records that the revocation of a worker was asked for, or acknowledged.
func (w *world) noteRevoked(id string, acknowledged bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.revoked[id] = w.revoked[id] || acknowledged
}

// isRevoked reports whether the revocation of a worker was asked for.
func (w *world) isRevoked(id string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, asked := w.revoked[id]
	return asked
}

// started records that the process of a job is started. It is wrong if it was before.
func (w *world) started(id, machine string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.starts[id] = append(w.starts[id], machine)
	if len(w.starts[id]) > 1 {
		w.wrong = append(w.wrong, fmt.Sprintf("job %s was started on %v", id, w.starts[id]))
	}
}

// ended records a result that an agent has stored.
func (w *world) ended(id string, result wire.FinishRequest) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.results[id] = result
}

func (w *world) startReplica(i int) {
	if w.replicas[i] != nil {
		return
	}
	ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
	defer cancel()
	r, err := startReplica(ctx, w.storage, w.terms, w.clocks[i], w.faults, w.logger.Named("replica-"+strconv.Itoa(i)))
	if err != nil {
		w.logger.Info("replica not started", zap.Error(err))
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.replicas[i] = r
}

func (w *world) killReplica(i int) {
	w.mu.Lock()
	r := w.replicas[i]
	w.replicas[i] = nil
	w.mu.Unlock()
	if r != nil {
		r.kill()
	}
}

// network returns a network to a replica that is up, in turn.
func (w *world) network() (*memnet.Network, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for range w.replicas {
		w.next++
		if r := w.replicas[w.next%len(w.replicas)]; r != nil {
			return r.network()
		}
	}
	return nil, false
}

// dial connects the operator.
func (w *world) dial(ctx context.Context, kind, address string) (net.Conn, error) {
	n, ok := w.network()
	if !ok {
		return nil, &net.OpError{Op: "dial", Net: kind, Err: syscall.ECONNREFUSED}
	}
	return n.DialContext(ctx, kind, address)
}
