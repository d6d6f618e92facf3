package dispatch

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

var errNotBuilt = errors.New("not built")

// Dispatcher gives jobs to workers. All methods may be called concurrently.
//
// A write that was begun is seen through even when the caller's context ends:
// the context bounds the waiting, not the change.
type Dispatcher struct{}

// New reads the state, and gives every lease a full term. It answers once the
// index is complete. The store stays the caller's, and must outlive the
// dispatcher.
func New(ctx context.Context, st *store.Store, opts Options) (*Dispatcher, error) {
	return nil, errNotBuilt
}

// Close stops giving out work and ends every feed and follower with ErrClosed.
// It returns when the dispatcher's goroutines have ended.
func (d *Dispatcher) Close() {}

// Register stores a new worker, connected, and answers with its session token,
// which is not stored and cannot be had again. ErrInvalid names a bad field.
func (d *Dispatcher) Register(ctx context.Context, r Registration) (store.Agent, string, error) {
	return store.Agent{}, "", errNotBuilt
}

// AuthenticateSession answers with the worker that a session token belongs to.
// It reads memory only. ErrUnauthenticated.
func (d *Dispatcher) AuthenticateSession(ctx context.Context, token string) (string, error) {
	return "", errNotBuilt
}

// AuthenticateJob answers with the job that a job token belongs to. The token of
// an acceptance works until the job's record expires, unless the job went back
// to its queue or was lost. ErrUnauthenticated.
func (d *Dispatcher) AuthenticateJob(ctx context.Context, token string) (string, error) {
	return "", errNotBuilt
}

// Connect makes a worker connected, whatever it was. Idempotent. ErrNotFound.
func (d *Dispatcher) Connect(ctx context.Context, agentID string) error { return errNotBuilt }

// Disconnect records that a worker left by itself. What it had not started goes
// back to the queue. Idempotent. ErrNotFound.
func (d *Dispatcher) Disconnect(ctx context.Context, agentID string) error { return errNotBuilt }

// Heartbeat renews a worker's lease; a lost worker is connected again. It writes
// nothing otherwise. ErrNotFound, and ErrWrongState for one that disconnected.
func (d *Dispatcher) Heartbeat(ctx context.Context, agentID string) error { return errNotBuilt }

// Ping answers a worker's ping: Disconnect if it is to leave, Pause, the job on
// offer to it or accepted and not started, the best job of its queue (assigned
// by this call), or Resume, which is the idle answer. A worker whose running job
// is not over is answered Resume. ErrNotFound, and ErrWrongState for one that
// disconnected.
func (d *Dispatcher) Ping(ctx context.Context, agentID string) (Instruction, error) {
	return Instruction{}, errNotBuilt
}

// Attach opens a worker's stream. The feed's first instruction is ready at once:
// the standing Resume, Pause or Disconnect, and then the offers. An older feed of
// the same worker ends with ErrSuperseded. The caller must Close the feed. A lost
// worker is connected again. ErrNotFound, and ErrWrongState for one that
// disconnected.
func (d *Dispatcher) Attach(ctx context.Context, agentID string) (*Feed, error) {
	return nil, errNotBuilt
}

// Feed is the control plane's side of one stream of one worker.
type Feed struct{}

// Next waits for the next instruction. It fails with ErrSuperseded when a newer
// stream took this one's place, ErrClosed after Close or when the dispatcher was
// closed, and the context's error when that ends. One caller at a time.
func (f *Feed) Next(ctx context.Context) (Instruction, error) { return Instruction{}, errNotBuilt }

// Standing is what a keep-alive must say: Resume, Pause or Disconnect, as it
// stands for the worker now. It may be called concurrently.
func (f *Feed) Standing() Instruction { return Instruction{} }

// Close ends the feed; a job that Next did not give stays on offer. It may be
// called more than once.
func (f *Feed) Close() {}

// Accept takes the job for the worker that it is on offer to, and answers with
// the job and its token. Again, until start, it is the same acceptance: the job
// as it is, and one more token that works (tokens are stored hashed and cannot be
// given twice; the newest few work). ErrNotFound, and ErrWrongState where the job
// is not this worker's to accept.
func (d *Dispatcher) Accept(ctx context.Context, agentID, jobID string) (store.Job, string, error) {
	return store.Job{}, "", errNotBuilt
}

// Acquire takes a queued job, named by the worker itself, for a worker of any
// queue. Idempotent like Accept. ErrNotFound, ErrWrongState.
func (d *Dispatcher) Acquire(ctx context.Context, agentID, jobID string) (store.Job, string, error) {
	return store.Job{}, "", errNotBuilt
}

// StartJob records that the job runs; at is the worker's clock, kept only in the
// log. Idempotent while it runs. ErrNotFound, and ErrWrongState where the job is
// not accepted.
func (d *Dispatcher) StartJob(ctx context.Context, jobID string, at time.Time) error {
	return errNotBuilt
}

// AppendLog stores one piece of a job's log. A piece that is there already may
// be sent again. ErrNotFound, ErrInvalid, and ErrWrongState where the job has
// not been accepted, or was lost.
func (d *Dispatcher) AppendLog(ctx context.Context, jobID string, chunk LogChunk) error {
	return errNotBuilt
}

// JobState is where the job stands, in the words of the agents' wire: a state
// of store.JobState, or, for a running job that is to end, canceling or
// timing_out. It reads memory where it can. ErrNotFound.
func (d *Dispatcher) JobState(ctx context.Context, jobID string) (string, error) {
	return "", errNotBuilt
}

// FinishJob records how the job ended: finished, or canceled where that was
// asked for or its time ran out. Again, with the same result, it is a success.
// ErrNotFound, and ErrWrongState where the job is not running or accepted.
func (d *Dispatcher) FinishJob(ctx context.Context, jobID string, r Result) error {
	return errNotBuilt
}

// Submit stores a job, and answers once it is safe; existed says that the
// idempotency key named a job that was there before, which is then the answer,
// whatever else the submission says. ErrInvalid names a bad field.
func (d *Dispatcher) Submit(ctx context.Context, s Submission) (job store.Job, existed bool, err error) {
	return store.Job{}, false, errNotBuilt
}

// Job reads one job from the store. ErrNotFound.
func (d *Dispatcher) Job(ctx context.Context, id string) (store.Job, error) {
	return store.Job{}, errNotBuilt
}

// WaitingReason says why a queued job waits, in words for people; it is empty
// for every other job. It reads memory only.
func (d *Dispatcher) WaitingReason(job store.Job) string { return "" }

// Jobs lists jobs, newest first, and answers with the token of the next page,
// empty when this was the last. ErrInvalid for a bad page or filter.
func (d *Dispatcher) Jobs(ctx context.Context, f JobFilter, p Page) ([]store.Job, string, error) {
	return nil, "", errNotBuilt
}

// Cancel takes a job that has not started out of its queue or its worker's
// hands, and asks the worker to stop one that has. A job that is canceled, or
// being canceled, is a success. ErrNotFound, and ErrWrongState for a job that
// ended otherwise; the answer is then the job all the same.
func (d *Dispatcher) Cancel(ctx context.Context, id, reason string) (store.Job, error) {
	return store.Job{}, errNotBuilt
}

// Follow gives the job as it stands, then every change of it and every piece of
// its log in order, and ends when the job has ended and its log is whole. A
// follower that is slow may miss changes in between, never the last. The log
// waits for a missing piece as long as the job is live, and LogGrace after it.
// An error is the last thing it gives: ErrNotFound, ErrClosed, or the context's.
func (d *Dispatcher) Follow(ctx context.Context, id string, o FollowOptions) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) { yield(Event{}, errNotBuilt) }
}

// Agents lists workers, newest first, and answers with the token of the next
// page, empty when this was the last. It reads memory only. ErrInvalid.
func (d *Dispatcher) Agents(ctx context.Context, f AgentFilter, p Page) ([]Agent, string, error) {
	return nil, "", errNotBuilt
}

// Pause tells a worker, named by its id or by a name that only one connected
// worker has, to take no work. What is on offer to it goes back to the queue.
// Idempotent; a new reason replaces the old. ErrNotFound, ErrInvalid (reason, or
// an ambiguous name), and ErrWrongState for one that has left.
func (d *Dispatcher) Pause(ctx context.Context, agent, reason string) (Agent, error) {
	return Agent{}, errNotBuilt
}

// Resume lets a paused worker take work again. Idempotent. Errors as for Pause.
func (d *Dispatcher) Resume(ctx context.Context, agent string) (Agent, error) {
	return Agent{}, errNotBuilt
}

// Stop tells a worker to finish what it runs and to leave; with force its
// running job is cancelled, and one that it has not started goes back to the
// queue. Idempotent; force may be added later. Errors as for Pause.
func (d *Dispatcher) Stop(ctx context.Context, agent string, force bool, reason string) (Agent, error) {
	return Agent{}, errNotBuilt
}
