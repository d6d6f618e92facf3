package worldtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/job/spool"
	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
	"github.com/switchyard-ci/switchyard/transport"
)

// callTimeout bounds a request of the world's operator. A submission is tried
// submitTries times, with one idempotency key.
const (
	callTimeout = 5 * time.Second
	submitTries = 3
	// recovery is the longest time that a world which behaves may take to end all
	// jobs: silent jobs are lost and retried, one after the other.
	recovery = 30 * time.Minute
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

// authorized returns the option of a client that sends the admin token.
func authorized() connect.ClientOption {
	return connect.WithInterceptors(connect.UnaryInterceptorFunc(func(next connect.UnaryFunc) connect.UnaryFunc {
		return func(ctx context.Context, r connect.AnyRequest) (connect.AnyResponse, error) {
			r.Header().Set("Authorization", "Bearer "+adminToken)
			return next(ctx, r)
		}
	}))
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

// call runs a request of the operator beside the steps of the world.
func (w *world) call(request func(ctx context.Context)) {
	w.calls.Go(func() {
		ctx, cancel := context.WithTimeout(w.ctx, callTimeout)
		defer cancel()
		request(ctx)
	})
}

// submit submits a job that takes a while and requires tags, and notes its ID once that is
// acknowledged.
func (w *world) submit(takes, exit string, timeout time.Duration, retries int32, tags ...string) {
	w.keys++
	request := &switchyardv1.SubmitJobRequest{
		Command: []string{"true"}, Env: map[string]string{"TAKES": takes, "EXIT": exit},
		Retries: retries, Tags: tags, IdempotencyKey: "key-" + strconv.Itoa(w.keys),
	}
	if timeout > 0 {
		request.Timeout = durationpb.New(timeout)
	}
	w.calls.Go(func() {
		first := ""
		for range submitTries {
			ctx, cancel := context.WithTimeout(w.ctx, callTimeout)
			response, err := w.jobs.SubmitJob(ctx, request)
			cancel()
			if err != nil {
				pause(w.ctx, time.Second)
				continue
			}
			id := response.GetJob().GetId()
			w.mu.Lock()
			w.submitted[id], w.required[id] = true, tags
			w.mu.Unlock()
			if first != "" { // the same submission again
				if id != first {
					w.failf("one key made the jobs %s and %s", first, id)
				}
				return
			}
			first = id
		}
	})
}

// cancel cancels one of the acknowledged jobs.
func (w *world) cancel(i int) {
	w.mu.Lock()
	ids := sorted(w.submitted)
	w.mu.Unlock()
	if len(ids) > 0 {
		id := ids[i%len(ids)]
		w.call(func(ctx context.Context) { _, _ = w.jobs.CancelJob(ctx, &switchyardv1.CancelJobRequest{Id: id}) })
	}
}

// control asks for a change of a worker.
func (w *world) control(what, id string) {
	w.call(func(ctx context.Context) {
		switch what {
		case "pause":
			_, _ = w.workers.PauseWorker(ctx, &switchyardv1.PauseWorkerRequest{Id: id, Reason: "drawn"})
		case "resume":
			_, _ = w.workers.ResumeWorker(ctx, &switchyardv1.ResumeWorkerRequest{Id: id})
		case "stop":
			_, _ = w.workers.StopWorker(ctx, &switchyardv1.StopWorkerRequest{Id: id, Reason: "drawn"})
		case "stop-force":
			_, _ = w.workers.StopWorker(ctx, &switchyardv1.StopWorkerRequest{Id: id, Force: true, Reason: "drawn"})
		case "revoke":
			w.noteRevoked(id, false) // it may be revoked though the answer is lost
			_, err := w.workers.RevokeWorker(ctx, &switchyardv1.RevokeWorkerRequest{Id: id, Reason: "drawn"})
			w.noteRevoked(id, err == nil)
		}
	})
}

// behave removes every fault, starts what is down, and waits until every job has ended
// and every result is delivered, or until something is wrong. It returns what was left
// undone after recovery.
func (w *world) behave() error {
	w.faults.heal()
	if w.storage.isDown() {
		must(w.t, w.storage.start())
	}
	for i := range w.replicas {
		w.startReplica(i)
	}
	for i, a := range w.agents {
		a.light()
		if a.hasLeft() {
			a.kill()
			w.agents[i] = w.startAgent(a.machine, uint64(i))
		}
	}
	w.calls.Wait() // a submission may still store a job
	var left error
	for begun := time.Now(); time.Since(begun) < recovery; pass(callTimeout) {
		for i, a := range w.agents {
			if id := a.workerID(); id != "" && !a.hasLeft() {
				w.control("resume", id)
			}
			if a.hasLeft() { // an operator asked it to, just before
				a.kill()
				w.agents[i] = w.startAgent(a.machine, uint64(i))
			}
		}
		if left = w.unfinished(); left == nil || w.isWrong() {
			return nil
		}
	}
	return fmt.Errorf("after %v without faults: %w", recovery, left)
}

// unfinished returns what is not done yet.
func (w *world) unfinished() error {
	jobs := w.storedJobs()
	for id, job := range jobs {
		if waits := job.State == wire.StateQueued && !w.anyHas(job.Tags); !job.State.Final() && !waits {
			return fmt.Errorf("job %s is %s", id, job.State)
		}
		if job.RetriedBy != "" && jobs[job.RetriedBy].ID == "" {
			return fmt.Errorf("job %s has no retry", id)
		}
	}
	for _, a := range w.agents {
		for entry := range a.spool.Undelivered() {
			entry.Close()
			if w.isRevoked(jobs[entry.Job.ID].WorkerID) {
				continue
			}
			return fmt.Errorf("the result of job %s is undelivered", entry.Job.ID)
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.unrecorded(jobs)...)
}

// unrecorded returns an error for each result that an agent knew and that is not
// recorded, except for those of workers that were revoked: they are refused. The caller
// holds the lock.
func (w *world) unrecorded(jobs map[string]record.Job) (errs []error) {
	for id, result := range w.results {
		job, want := jobs[id], lifecycle.Result{ExitStatus: result.ExitStatus, Signal: result.Signal, SignalReason: result.SignalReason}
		if _, asked := w.revoked[job.WorkerID]; asked {
			continue
		}
		if !job.Same(want) && (job.LateResult == nil || !job.LateResult.Same(want)) {
			errs = append(errs, fmt.Errorf("job %s ended with %+v, and what is recorded is %+v (%s)", id, want, job.Result, job.State))
		}
	}
	return errs
}

// storedJobs returns the last stored record of each job.
func (w *world) storedJobs() map[string]record.Job { return lastRecords[record.Job](w, "job.") }

// lastRecords returns the last stored record of each ID behind a prefix.
func lastRecords[T any](w *world, prefix string) map[string]T {
	records := map[string]T{}
	for _, message := range w.storage.records(w.ctx, w.t) {
		if id, ok := strings.CutPrefix(message.subject, prefix); ok {
			var value T
			must(w.t, json.Unmarshal(message.data, &value))
			records[id] = value
		}
	}
	return records
}

// check returns every promise that the world has broken, once it has behaved.
func (w *world) check() error {
	errs := []error{checkRecords(w.storage.records(w.ctx, w.t))}
	jobs, workers := w.storedJobs(), lastRecords[record.Worker](w, "worker.")
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, text := range w.wrong {
		errs = append(errs, errors.New(text))
	}
	for _, id := range sorted(w.submitted) {
		if jobs[id].ID == "" {
			errs = append(errs, fmt.Errorf("job %s was acknowledged and is forgotten", id))
		}
	}
	errs = append(errs, w.unrecorded(jobs)...)
	errs = append(errs, w.checkTags(jobs, workers)...)
	for _, id := range sorted(w.revoked) {
		if worker := workers[id]; w.revoked[id] && (!worker.Revoked || worker.State != workerstate.Left) {
			errs = append(errs, fmt.Errorf("the revocation of worker %s was acknowledged, and it is recorded as %s", id, worker.State))
		}
	}
	for id := range w.starts {
		if jobs[id].StartedAt.IsZero() {
			errs = append(errs, fmt.Errorf("job %s was started, and is recorded as %s without a start", id, jobs[id].State))
		}
	}
	return errors.Join(errs...)
}
