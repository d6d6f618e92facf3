package client

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// DefaultEndpoint is where a control plane listens by default.
const DefaultEndpoint = "http://127.0.0.1:7420"

// callTimeout bounds every call but a follow, which lasts as long as its job.
const callTimeout = 30 * time.Second

// Options are the control plane to call and the credentials.
type Options struct {
	// Endpoint is the control plane's base URL, http, https or unix:///path.sock,
	// without a path unless a proxy adds one. Empty is DefaultEndpoint.
	Endpoint string
	// Token authenticates every call.
	Token string
	// TLS is for https endpoints. Nil means the system's authorities.
	TLS *tls.Config
	// UserAgent is sent with every call. Empty is connect-go's own.
	UserAgent string
	// Patience is how long a follow tries to reach a control plane again. Zero is
	// DefaultPatience.
	Patience time.Duration
}

// Client calls one control plane. It is safe for concurrent use.
type Client struct {
	endpoint httpclient.Endpoint
	patience time.Duration
	http     *httpclient.Client
	jobs     switchyardv1connect.JobServiceClient
	workers  switchyardv1connect.WorkerServiceClient
	tokens   switchyardv1connect.TokenServiceClient
	backups  switchyardv1connect.BackupServiceClient
	audit    switchyardv1connect.AuditServiceClient
}

// New returns a client. It opens no connection. It returns an error if the endpoint is
// not valid.
func New(opts Options) (*Client, error) {
	if opts.Endpoint == "" {
		opts.Endpoint = DefaultEndpoint
	}
	if opts.Patience == 0 {
		opts.Patience = DefaultPatience
	}
	endpoint, err := httpclient.ParseEndpoint(opts.Endpoint)
	if err != nil {
		return nil, fmt.Errorf("endpoint %w", err)
	}
	// Redirects are not followed: they would send the token elsewhere.
	httpClient := httpclient.New(httpclient.Options{TLS: opts.TLS})
	caller := authorized{http: httpClient, token: opts.Token, userAgent: opts.UserAgent}
	return &Client{
		endpoint: endpoint,
		patience: opts.Patience,
		http:     httpClient,
		jobs:     switchyardv1connect.NewJobServiceClient(caller, endpoint.HTTPURL()),
		workers:  switchyardv1connect.NewWorkerServiceClient(caller, endpoint.HTTPURL()),
		tokens:   switchyardv1connect.NewTokenServiceClient(caller, endpoint.HTTPURL()),
		backups:  switchyardv1connect.NewBackupServiceClient(caller, endpoint.HTTPURL()),
		audit:    switchyardv1connect.NewAuditServiceClient(caller, endpoint.HTTPURL()),
	}, nil
}

// Endpoint returns the base URL of the control plane.
func (c *Client) Endpoint() string { return c.endpoint.String() }

// Close closes all connections. Calls in flight fail.
func (c *Client) Close() { c.http.Close() }

// authorized sends requests with the token and the user agent.
type authorized struct {
	http             *httpclient.Client
	token, userAgent string
}

// Do implements [connect.HTTPClient].
func (a authorized) Do(request *http.Request) (*http.Response, error) {
	request.Header.Set("Authorization", "Bearer "+a.token)
	if a.userAgent != "" {
		request.Header.Set("User-Agent", a.userAgent)
	}
	return a.http.Do(request)
}

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
	return res, nil
}

// Submit stores a job. The response reports whether a job with the same idempotency
// key existed already. If its error is [Error.Uncertain], the job may be stored.
func (c *Client) Submit(ctx context.Context, req *switchyardv1.SubmitJobRequest) (*switchyardv1.SubmitJobResponse, error) {
	return call(ctx, c, "submitting the job", c.jobs.SubmitJob, req)
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

// CancelJob cancels a job; the reason is for people.
func (c *Client) CancelJob(ctx context.Context, id, reason string) (*switchyardv1.Job, error) {
	res, err := call(ctx, c, "canceling job "+id, c.jobs.CancelJob,
		&switchyardv1.CancelJobRequest{Id: id, Reason: reason})
	return res.GetJob(), err
}

// DeleteJob deletes a job that has ended, with logOnly its log only.
func (c *Client) DeleteJob(ctx context.Context, id string, logOnly bool) (*switchyardv1.DeleteJobResponse, error) {
	return call(ctx, c, "deleting job "+id, c.jobs.DeleteJob, &switchyardv1.DeleteJobRequest{Id: id, LogOnly: logOnly})
}

// Backup passes receive to write, which returns the messages of a backup one by one,
// and false after the last one. It lasts as long as that takes.
func (c *Client) Backup(ctx context.Context, write func(receive func() (*switchyardv1.BackupResponse, bool, error)) error) error {
	const doing = "making a backup"
	stream, err := c.backups.Backup(ctx, &switchyardv1.BackupRequest{})
	if err != nil {
		return c.failed(doing, err)
	}
	defer func() { _ = stream.Close() }() // everything was received, or it failed already
	return write(func() (*switchyardv1.BackupResponse, bool, error) {
		if stream.Receive() {
			return stream.Msg(), true, nil
		}
		if err := stream.Err(); err != nil {
			return nil, false, c.failed(doing, err)
		}
		return nil, false, nil
	})
}

// PauseWorker stops a worker from taking work; the reason is for people. The worker is
// given by its ID, or by its name if only one worker has it.
func (c *Client) PauseWorker(ctx context.Context, id, reason string) (*switchyardv1.Worker, error) {
	res, err := call(ctx, c, "pausing worker "+id, c.workers.PauseWorker,
		&switchyardv1.PauseWorkerRequest{Id: id, Reason: reason})
	return res.GetWorker(), err
}

// ResumeWorker lets a paused worker take work again.
func (c *Client) ResumeWorker(ctx context.Context, id string) (*switchyardv1.Worker, error) {
	res, err := call(ctx, c, "resuming worker "+id, c.workers.ResumeWorker, &switchyardv1.ResumeWorkerRequest{Id: id})
	return res.GetWorker(), err
}

// StopOptions is how a worker stops. Force cancels its job instead of waiting for its
// end; NoRetry, which needs Force, keeps that job from being retried. Reason is for
// people.
type StopOptions struct {
	Force, NoRetry bool
	Reason         string
}

// StopWorker makes a worker leave when its job has ended.
func (c *Client) StopWorker(ctx context.Context, id string, how StopOptions) (*switchyardv1.Worker, error) {
	res, err := call(ctx, c, "stopping worker "+id, c.workers.StopWorker,
		&switchyardv1.StopWorkerRequest{Id: id, Force: how.Force, NoRetry: how.NoRetry, Reason: how.Reason})
	return res.GetWorker(), err
}
