package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"sync/atomic"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// DefaultEndpoint is where a control plane listens by default.
const DefaultEndpoint = "http://127.0.0.1:7420"

// callTimeout bounds every call but a follow, which lasts as long as its job.
const callTimeout = 30 * time.Second

// Options are the control plane to call and the credentials.
type Options struct {
	// Endpoints are base URLs of the control plane, http, https or unix:///path.sock,
	// without a path unless a proxy adds one. Several are replicas of one control plane,
	// and are tried in order. Empty is DefaultEndpoint.
	Endpoints []string
	// Token authenticates every call.
	Token string
	// TLS is for https endpoints. Nil means the system's authorities.
	TLS *tls.Config
	// Trace is the span that the calls are a part of, if any.
	Trace tracecontext.Parent
	// UserAgent is sent with every call. Empty is connect-go's own.
	UserAgent string
	// Patience is how long a follow tries to reach a control plane again. Zero is
	// DefaultPatience.
	Patience time.Duration
}

// Client calls one control plane. It is safe for concurrent use.
type Client struct {
	caller   *caller
	patience time.Duration
	reached  atomic.Bool // the control plane has responded
	jobs     switchyardv1connect.JobServiceClient
	workers  switchyardv1connect.WorkerServiceClient
	queues   switchyardv1connect.QueueServiceClient
	tokens   switchyardv1connect.TokenServiceClient
	backups  switchyardv1connect.BackupServiceClient
	audit    switchyardv1connect.AuditServiceClient
}

// New returns a client. It opens no connection. It returns an error if the endpoint is
// not valid.
func New(opts Options) (*Client, error) {
	if len(opts.Endpoints) == 0 {
		opts.Endpoints = []string{DefaultEndpoint}
	}
	if opts.Patience == 0 {
		opts.Patience = DefaultPatience
	}
	endpoints, err := httpclient.ParseEndpoints(opts.Endpoints)
	if err != nil {
		return nil, err
	}
	// Redirects are not followed: they would send the token elsewhere.
	connecting := httpclient.Options{TLS: opts.TLS, DialTimeout: httpclient.DialTimeoutOf(len(endpoints))}
	caller := &caller{
		http: httpclient.New(connecting), endpoints: httpclient.NewEndpoints(endpoints, 0),
		token: opts.Token, userAgent: opts.UserAgent, trace: opts.Trace,
	}
	options := connect.WithInterceptors(markReads{})
	return &Client{
		caller:   caller,
		patience: opts.Patience,
		jobs:     switchyardv1connect.NewJobServiceClient(caller, callerBase, options),
		workers:  switchyardv1connect.NewWorkerServiceClient(caller, callerBase, options),
		queues:   switchyardv1connect.NewQueueServiceClient(caller, callerBase, options),
		tokens:   switchyardv1connect.NewTokenServiceClient(caller, callerBase, options),
		backups:  switchyardv1connect.NewBackupServiceClient(caller, callerBase, options),
		audit:    switchyardv1connect.NewAuditServiceClient(caller, callerBase, options),
	}, nil
}

// Endpoint returns the base URL in use.
func (c *Client) Endpoint() string { return c.caller.endpoints.Current().String() }

// Close closes all connections. Calls in flight fail.
func (c *Client) Close() { c.caller.http.Close() }

// call makes one call within callTimeout. Its errors are [*Error].
func call[Req, Res any](
	ctx context.Context, c *Client, doing string,
	method func(context.Context, *Req) (*Res, error), req *Req,
) (*Res, error) {
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	res, err := method(limited, req)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, c.failed(doing, err)
	}
	c.reached.Store(true)
	return res, nil
}

// Submit stores a job. The response reports whether a job with the same idempotency
// key existed already. If its error is [Error.Uncertain], the job may be stored.
func (c *Client) Submit(ctx context.Context, req *switchyardv1.SubmitJobRequest) (*switchyardv1.SubmitJobResponse, error) {
	return call(ctx, c, "submitting the job", c.jobs.SubmitJob, req)
}

// SubmitAll stores jobs, each by itself, and returns what became of each, in the same
// order. If its error is [Error.Uncertain], some of the jobs may be stored.
func (c *Client) SubmitAll(ctx context.Context, jobs []*switchyardv1.SubmitJobRequest) ([]*switchyardv1.SubmitJobsResult, error) {
	res, err := call(ctx, c, fmt.Sprintf("submitting %d jobs", len(jobs)), c.jobs.SubmitJobs, &switchyardv1.SubmitJobsRequest{Jobs: jobs})
	if err != nil {
		return nil, err
	}
	if n := len(res.GetResults()); n != len(jobs) {
		return nil, fmt.Errorf("submitting %d jobs at %s: the response has %d results", len(jobs), c.Endpoint(), n)
	}
	return res.GetResults(), nil
}

// RerunJob submits a job that has ended again. If its error is [Error.Uncertain], the new
// job may be stored.
func (c *Client) RerunJob(ctx context.Context, id, idempotencyKey string) (*switchyardv1.Job, error) {
	res, err := call(ctx, c, "running job "+id+" again", c.jobs.RerunJob,
		&switchyardv1.RerunJobRequest{Id: id, IdempotencyKey: idempotencyKey})
	return res.GetJob(), err
}

// Job returns a job. Its secret variables are hidden.
func (c *Client) Job(ctx context.Context, id string) (*switchyardv1.Job, error) {
	return c.getJob(ctx, &switchyardv1.GetJobRequest{Id: id})
}

// JobWithSecrets returns a job with the values of its secret variables, which needs a
// token with the scope operate.
func (c *Client) JobWithSecrets(ctx context.Context, id string) (*switchyardv1.Job, error) {
	return c.getJob(ctx, &switchyardv1.GetJobRequest{Id: id, ShowSecrets: true})
}

func (c *Client) getJob(ctx context.Context, req *switchyardv1.GetJobRequest) (*switchyardv1.Job, error) {
	res, err := call(ctx, c, "showing job "+req.GetId(), c.jobs.GetJob, req)
	return res.GetJob(), err
}

// Worker returns the worker with this ID or name.
func (c *Client) Worker(ctx context.Context, id string) (*switchyardv1.Worker, error) {
	res, err := call(ctx, c, "showing worker "+id, c.workers.GetWorker, &switchyardv1.GetWorkerRequest{Id: id})
	return res.GetWorker(), err
}

// CancelJob cancels a job; the reason is for people.
func (c *Client) CancelJob(ctx context.Context, id, reason string) (*switchyardv1.CancelJobResponse, error) {
	return call(ctx, c, "canceling job "+id, c.jobs.CancelJob, &switchyardv1.CancelJobRequest{Id: id, Reason: reason})
}

// DeleteJob deletes a job that has ended, with logOnly its log only.
func (c *Client) DeleteJob(ctx context.Context, id string, logOnly bool) (*switchyardv1.DeleteJobResponse, error) {
	return call(ctx, c, "deleting job "+id, c.jobs.DeleteJob, &switchyardv1.DeleteJobRequest{Id: id, LogOnly: logOnly})
}

// Backup passes receive to write, which returns the messages of a backup one by one,
// and false after the last one. It lasts as long as that takes.
func (c *Client) Backup(ctx context.Context, write func(receive func() (*switchyardv1.BackupResponse, bool, error)) error) error {
	const doing = "making a backup"
	failed := func(err error) error {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		return c.failed(doing, err)
	}
	stream, err := c.backups.Backup(ctx, &switchyardv1.BackupRequest{})
	if err != nil {
		return failed(err)
	}
	defer func() { _ = stream.Close() }() // everything was received, or it failed already
	return write(func() (*switchyardv1.BackupResponse, bool, error) {
		if stream.Receive() {
			return stream.Msg(), true, nil
		}
		if err := stream.Err(); err != nil {
			return nil, false, failed(err)
		}
		return nil, false, nil
	})
}

// ChangedWorker is the response to a call that changes a worker: the worker, and whether
// the call had no effect.
type ChangedWorker interface {
	GetWorker() *switchyardv1.Worker
	GetUnchanged() bool
}

// PauseWorker stops a worker from taking work; the reason is for people. The worker is
// given by its ID, or by its name if only one worker has it.
func (c *Client) PauseWorker(ctx context.Context, id, reason string) (ChangedWorker, error) {
	return call(ctx, c, "pausing worker "+id, c.workers.PauseWorker,
		&switchyardv1.PauseWorkerRequest{Id: id, Reason: reason})
}

// ResumeWorker lets a paused worker take work again.
func (c *Client) ResumeWorker(ctx context.Context, id string) (ChangedWorker, error) {
	return call(ctx, c, "resuming worker "+id, c.workers.ResumeWorker, &switchyardv1.ResumeWorkerRequest{Id: id})
}

// StopOptions is how a worker stops. Force cancels its job instead of waiting for its
// end; NoRetry, which needs Force, keeps that job from being retried. Reason is for
// people.
type StopOptions struct {
	Force, NoRetry bool
	Reason         string
}

// StopWorker makes a worker leave when its job has ended.
func (c *Client) StopWorker(ctx context.Context, id string, how StopOptions) (ChangedWorker, error) {
	return call(ctx, c, "stopping worker "+id, c.workers.StopWorker,
		&switchyardv1.StopWorkerRequest{Id: id, Force: how.Force, NoRetry: how.NoRetry, Reason: how.Reason})
}
