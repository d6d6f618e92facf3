package worldtest

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/anishathalye/porcupine"

	"github.com/switchyard-ci/switchyard/internal/controlplane/schedule"
	"github.com/switchyard-ci/switchyard/internal/promises"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

var histories = flag.Int("histories", defaultHistories, "how many histories TestHistoriesKeepThePromises checks")

const (
	historyTime       = time.Minute
	keyTime           = 8 * time.Second // new keys are used after each
	keysAtATime       = 3
	historySubmitters = 3
	historyWorkers    = 4
	historyOperators  = 2
)

// historyTerms lose no job and no worker, and withdraw offers and acceptances quickly.
var historyTerms = schedule.Terms{
	LeaseTimeout: time.Hour, AssignTimeout: 3 * time.Second, StartTimeout: 5 * time.Second,
	AbsenceTimeout: time.Hour, SilenceTimeout: time.Hour, HoldTimeout: 2 * time.Hour,
}

// TestHistoriesKeepThePromises lets clients of two replicas submit, accept, start,
// finish, cancel and read jobs concurrently, while replicas are killed and responses
// are lost. What they see must be possible for a control plane that does one request
// after the other.
func TestHistoriesKeepThePromises(t *testing.T) {
	for i := range *histories {
		seed := uint64(i) + 1 //nolint:gosec // small
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			var h []porcupine.Operation
			inBubble(t, func(t *testing.T) { h = recordHistory(t, seed, nil) })
			checkHistory(t, h)
		})
	}
}

// checkHistory fails the test if a history is impossible, with the requests about each
// job of which that is so, and the longest part of them that is possible, in its order.
func checkHistory(t *testing.T, h []porcupine.Operation) {
	t.Helper()
	for _, part := range promises.ByKey(h) {
		result, info := porcupine.CheckOperationsVerbose(promises.Model(), part, time.Minute)
		if result == porcupine.Ok {
			continue
		}
		t.Errorf("a history is %s:", result)
		slices.SortFunc(part, func(a, b porcupine.Operation) int { return cmp.Compare(a.Call, b.Call) })
		for _, op := range part {
			t.Logf("%d to %d: %+v -> %+v", op.Call, op.Return, op.Input, op.Output)
		}
		for _, possible := range info.PartialLinearizationsOperations()[0] {
			t.Logf("%d of them are possible:", len(possible))
			for _, op := range possible {
				t.Logf("  %d to %d: %+v -> %+v", op.Call, op.Return, op.Input, op.Output)
			}
		}
	}
}

// recorder records what clients request and learn. Its clock counts, so that it orders
// also what happens at the same virtual time.
type recorder struct {
	*world

	seed  uint64
	doors []door // to each replica
	clock atomic.Int64
	over  context.Context //nolint:containedctx // when the clients stop

	mu      sync.Mutex
	history []porcupine.Operation
	known   map[string]string // the key of each job that a client has seen
}

// door is a client of one replica.
type door struct {
	http *http.Client
	jobs switchyardv1connect.JobServiceClient
}

// recordHistory runs the clients in the bubble of t and returns their history.
func recordHistory(t *testing.T, seed uint64, broke func(*world)) []porcupine.Operation {
	t.Helper()
	w := newWorldWithTerms(t, historyTerms, 2)
	defer w.close()
	if broke != nil {
		broke(w)
	}
	r := &recorder{world: w, seed: seed, known: map[string]string{}}
	for i := range w.replicas {
		r.doors = append(r.doors, newDoor(func() *replica { return w.replica(i) }))
	}
	defer func() {
		for _, d := range r.doors {
			d.http.CloseIdleConnections()
		}
	}()
	var stop context.CancelFunc
	r.over, stop = context.WithTimeout(w.ctx, historyTime)
	defer stop()
	var clients sync.WaitGroup
	for i := range historySubmitters {
		clients.Go(func() { r.submitter(r.rand(i)) })
	}
	for i := range historyWorkers {
		clients.Go(func() { r.worker(i, r.rand(historySubmitters+i)) })
	}
	for i := range historyOperators {
		clients.Go(func() { r.operator(r.rand(historySubmitters + historyWorkers + i)) })
	}
	r.disturb(r.rand(-1))
	clients.Wait()
	w.faults.heal()
	for i := range w.replicas {
		w.startReplica(i)
	}
	for id, key := range r.known { // nobody changes anything any more
		r.get(r.doors[0], key, id)
	}
	return r.history
}

func (r *recorder) rand(client int) *rand.Rand {
	return rand.New(rand.NewPCG(r.seed, uint64(client))) //nolint:gosec // a test's choice
}

// newDoor returns a client of the replica that serve returns; nil while it is down.
func newDoor(serve func() *replica) door {
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	client := &http.Client{Transport: &http.Transport{
		Protocols: protocols,
		DialContext: func(ctx context.Context, kind, address string) (net.Conn, error) {
			if to := serve(); to != nil {
				if n, up := to.network(); up {
					return n.DialContext(ctx, kind, address)
				}
			}
			return nil, &net.OpError{Op: "dial", Net: kind, Err: syscall.ECONNREFUSED}
		},
	}}
	return door{client, switchyardv1connect.NewJobServiceClient(client, "http://control.test", authorized())}
}

// anyDoor returns a client of one of the replicas.
func (r *recorder) anyDoor(random *rand.Rand) door { return r.doors[random.IntN(len(r.doors))] }

// do makes a request and records it.
func (r *recorder) do(in request, call func(ctx context.Context) response) response {
	ctx, cancel := context.WithTimeout(r.ctx, callTimeout)
	defer cancel()
	op := porcupine.Operation{Input: in, Call: r.clock.Add(1)}
	out := call(ctx)
	op.Output, op.Return = out, r.clock.Add(1)
	if out.Outcome == unknown {
		op.Return = math.MaxInt64 // it may be carried out at any time from now on
	}
	if out.Outcome == unknown && (in.Do == "accept" || in.Do == "get") {
		return out // nobody has learned anything, and an acceptance can be withdrawn
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.history = append(r.history, op)
	return out
}

// see notes the key of a job.
func (r *recorder) see(id, key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[id] = key
}

var historyRoutes = words("ping accept accept start start finish SubmitJob CancelJob")

// disturb kills replicas and sets faults until the clients stop.
func (r *recorder) disturb(random *rand.Rand) {
	for r.over.Err() == nil {
		pause(r.over, time.Duration(random.IntN(int(3*time.Second))))
		route := historyRoutes[random.IntN(len(historyRoutes))]
		r.faults.put(route, []fault{loseAnswer, loseAnswer, loseRequest, repeat}[random.IntN(4)])
		pause(r.over, time.Duration(random.IntN(int(2*time.Second))))
		r.faults.put(route, noFault)
		if random.IntN(4) == 0 {
			i := random.IntN(len(r.replicas))
			r.killReplica(i)
			pause(r.over, time.Duration(random.IntN(int(time.Second))))
			r.startReplica(i)
		}
	}
}

// requiredTags are those of the jobs, workerTags those of the workers, in turn.
var (
	requiredTags = []string{"", "a=1", "a=* b=1"}
	workerTags   = []string{"a=1", "a=2", "a=1 b=1", ""}
)

// submitter submits a job for each key, several times.
func (r *recorder) submitter(random *rand.Rand) {
	for begun := time.Now(); r.over.Err() == nil; {
		slot := random.IntN(keysAtATime)
		key := fmt.Sprintf("key-%d-%d", time.Since(begun)/keyTime, slot)
		tags := requiredTags[slot%len(requiredTags)] // a key is of one job
		d := r.anyDoor(random)
		out := r.do(request{Do: "submit", Key: key, Tags: tags}, func(ctx context.Context) response {
			submitted, err := d.jobs.SubmitJob(ctx, &switchyardv1.SubmitJobRequest{
				Command: []string{"true"}, Env: map[string]string{"KEY": key}, Tags: words(tags), IdempotencyKey: key,
			})
			return response{Outcome: outcomeOf(err), ID: submitted.GetJob().GetId()}
		})
		if out.Outcome == ok {
			r.see(out.ID, key)
		}
		pause(r.over, time.Duration(random.IntN(int(4*time.Second))))
	}
}

// operator reads and cancels jobs.
func (r *recorder) operator(random *rand.Rand) {
	for r.over.Err() == nil {
		pause(r.over, time.Duration(random.IntN(int(3*time.Second))))
		r.mu.Lock()
		ids := sorted(r.known)
		r.mu.Unlock()
		if len(ids) == 0 {
			continue
		}
		id := ids[random.IntN(len(ids))]
		d := r.anyDoor(random)
		if random.IntN(8) > 0 {
			r.get(d, r.keyOf(id), id)
			continue
		}
		r.do(request{Do: "cancel", Key: r.keyOf(id), ID: id}, func(ctx context.Context) response {
			_, err := d.jobs.CancelJob(ctx, &switchyardv1.CancelJobRequest{Id: id})
			return response{Outcome: outcomeOf(err)}
		})
	}
}

func (r *recorder) keyOf(id string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known[id]
}

func (r *recorder) get(d door, key, id string) {
	r.do(request{Do: "get", Key: key, ID: id}, func(ctx context.Context) response {
		got, err := d.jobs.GetJob(ctx, &switchyardv1.GetJobRequest{Id: id})
		if connect.CodeOf(err) == connect.CodeNotFound {
			return response{Outcome: ok}
		}
		out := response{Outcome: outcomeOf(err), Result: got.GetJob().GetExitStatus()}
		switch got.GetJob().GetState() {
		case switchyardv1.JobState_JOB_STATE_FINISHED:
			out.State = "finished"
		case switchyardv1.JobState_JOB_STATE_CANCELED:
			out.State = "canceled"
		case switchyardv1.JobState_JOB_STATE_RUNNING:
			out.State = "running"
		case switchyardv1.JobState_JOB_STATE_LOST:
			out.State = "lost"
		default:
			out.State = "waiting"
		}
		return out
	})
}

// outcomeOf returns the outcome of a call of switchyard.v1.
func outcomeOf(err error) string {
	if err == nil {
		return ok
	}
	switch connect.CodeOf(err) { //nolint:exhaustive // every other code leaves it open
	case connect.CodeNotFound, connect.CodeFailedPrecondition, connect.CodeInvalidArgument, connect.CodeAlreadyExists:
		return refused
	default:
		return unknown
	}
}

// worker takes jobs. It accepts some of them twice at once, and starts and finishes
// with every token that it has, to be granted one start.
func (r *recorder) worker(i int, random *rand.Rand) {
	name, tags, session := "w"+strconv.Itoa(i), workerTags[i%len(workerTags)], ""
	for session == "" && r.over.Err() == nil {
		var registered wire.RegisterResponse
		r.rest(r.ctx, r.anyDoor(random), http.MethodPost, wire.PathRegister, registrationToken,
			wire.RegisterRequest{Name: name, Tags: words(tags), Features: []string{}}, &registered)
		session = registered.AccessToken
	}
	for r.over.Err() == nil {
		pause(r.over, time.Duration(random.IntN(int(time.Second))))
		var ping wire.PingResponse
		r.rest(r.over, r.anyDoor(random), http.MethodGet, wire.PathPing, session, nil, &ping)
		if ping.Job != nil && random.IntN(6) > 0 { // some offers are left to expire
			r.take(ping.Job.ID, request{Do: "accept", Worker: name, Tags: tags}, session, random)
		}
	}
}

// take accepts, starts and finishes one job. accept is the request, without the job.
func (r *recorder) take(id string, accept request, session string, random *rand.Rand) {
	tokens := make([]string, 1+random.IntN(2))
	at := func(i int) door { return r.doors[i%len(r.doors)] }
	both(len(tokens), func(i int) {
		var accepted wire.Job
		// The job names its key, with which the request is recorded.
		began := r.clock.Add(1)
		outcome := r.rest(r.ctx, at(i), http.MethodPut, wire.PathJobs+"/"+id+"/"+wire.PathAccept, session, nil, &accepted)
		if outcome != ok {
			return
		}
		tokens[i] = accepted.Token
		accept := accept
		accept.Key, accept.ID = accepted.Env["KEY"], id
		r.see(id, accept.Key)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.history = append(r.history, porcupine.Operation{
			Input: accept, Call: began,
			Output: response{Outcome: ok, Token: accepted.Token}, Return: r.clock.Add(1),
		})
	})
	pause(r.over, time.Duration(random.IntN(int(7*time.Second))))
	result := strconv.Itoa(random.IntN(3))
	both(len(tokens), func(i int) {
		if tokens[i] == "" {
			return
		}
		about := request{Do: "start", Key: r.keyOf(id), ID: id, Token: tokens[i]}
		for range 3 {
			if r.report(at(i), wire.PathStart, about, wire.StartRequest{}) != unknown {
				break
			}
		}
		pause(r.over, time.Duration(i)*time.Second)
		about.Do, about.Result = "finish", result
		for range 3 {
			if r.report(at(i+1), wire.PathFinish, about, wire.FinishRequest{ExitStatus: result}) != unknown {
				break
			}
		}
	})
}

// both calls f with 0 to n-1 at the same time.
func both(n int, f func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { f(i) })
	}
	all.Wait()
}

// report makes a call with a job's token, and returns its outcome.
func (r *recorder) report(d door, route string, about request, body any) string {
	return r.do(about, func(ctx context.Context) response {
		return response{Outcome: r.rest(ctx, d, http.MethodPut, wire.PathJobs+"/"+about.ID+"/"+route, about.Token, body, nil)}
	}).Outcome
}

// rest makes a REST call and returns its outcome.
func (*recorder) rest(ctx context.Context, d door, method, path, token string, body, into any) string {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	var content io.Reader = http.NoBody
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			panic(err)
		}
		content = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://control.test"+wire.Prefix+"/"+path, content)
	if err != nil {
		panic(err)
	}
	req.Header.Set("Authorization", wire.TokenScheme+" "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := d.http.Do(req)
	if err != nil {
		return unknown
	}
	defer func() { _ = resp.Body.Close() }()
	data, err := io.ReadAll(resp.Body)
	switch {
	case err != nil || resp.StatusCode >= http.StatusInternalServerError || resp.StatusCode == http.StatusTooManyRequests:
		return unknown
	case resp.StatusCode >= http.StatusBadRequest:
		return refused
	}
	if into != nil && json.Unmarshal(data, into) != nil {
		return unknown
	}
	return ok
}
