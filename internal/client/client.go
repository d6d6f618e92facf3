package client

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"connectrpc.com/connect"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// DefaultEndpoint is where a control plane listens by default.
const DefaultEndpoint = "http://127.0.0.1:7420"

const (
	// callTimeout bounds every call but a follow, which has no end of its own.
	callTimeout = 30 * time.Second
	dialTimeout = 10 * time.Second

	// A follow of a silent job is silent too, so a dead connection is found by
	// the kernel's probes (HTTP/1.1) or by HTTP/2 PING: after 25 s at most.
	keepAliveIdle     = 10 * time.Second
	keepAliveInterval = 5 * time.Second
	keepAliveCount    = 3
	pingAfter         = 10 * time.Second
	pingTimeout       = 15 * time.Second
)

// Options say which control plane to talk to, and as whom.
type Options struct {
	// Endpoint is the control plane's base URL, http:// or https://, without a
	// path unless a proxy puts one in front. Empty is DefaultEndpoint.
	Endpoint string
	// Token authenticates every call.
	Token string
	// TLS is for https endpoints. Nil is the system's authorities.
	TLS *tls.Config
	// UserAgent is told to the control plane. Empty is connect-go's own.
	UserAgent string
	// Patience is how long a follow goes on trying to reach a control plane that
	// it has lost. Zero is DefaultPatience.
	Patience time.Duration
}

// A Client calls one control plane. It is safe for concurrent use.
type Client struct {
	endpoint string
	patience time.Duration
	http     *http.Client
	jobs     switchyardv1connect.JobServiceClient
	agents   switchyardv1connect.WorkerServiceClient
}

// New returns a client, without connecting. It fails on an endpoint that
// cannot be one.
func New(opts Options) (*Client, error) {
	if opts.Endpoint == "" {
		opts.Endpoint = DefaultEndpoint
	}
	if opts.Patience == 0 {
		opts.Patience = DefaultPatience
	}
	base, err := parseEndpoint(opts.Endpoint)
	if err != nil {
		return nil, err
	}
	httpClient := &http.Client{
		Transport: newTransport(opts.TLS),
		// A redirect would carry the token elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	identity := connect.WithInterceptors(identity{token: opts.Token, userAgent: opts.UserAgent})
	return &Client{
		endpoint: base,
		patience: opts.Patience,
		http:     httpClient,
		jobs:     switchyardv1connect.NewJobServiceClient(httpClient, base, identity),
		agents:   switchyardv1connect.NewWorkerServiceClient(httpClient, base, identity),
	}, nil
}

// Endpoint is the base URL of the control plane.
func (c *Client) Endpoint() string { return c.endpoint }

// Close gives idle connections back.
func (c *Client) Close() { c.http.CloseIdleConnections() }

func parseEndpoint(endpoint string) (string, error) {
	u, err := url.Parse(endpoint)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("endpoint %q must look like http://HOST:PORT or https://HOST:PORT", endpoint)
	}
	if u.User != nil {
		return "", errors.New("endpoint must not hold a user or a password; give the token with --admin-token-file")
	}
	return strings.TrimRight(endpoint, "/"), nil
}

func newTransport(config *tls.Config) *http.Transport {
	dialer := &net.Dialer{
		Timeout: dialTimeout,
		KeepAliveConfig: net.KeepAliveConfig{
			Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
		},
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     config,
		TLSHandshakeTimeout: dialTimeout,
		Protocols:           protocols,
		HTTP2:               &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}

// identity puts the token and the user agent on every call.
type identity struct{ token, userAgent string }

func (i identity) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		i.set(req.Header())
		return next(ctx, req)
	}
}

func (i identity) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		conn := next(ctx, spec)
		i.set(conn.RequestHeader())
		return conn
	}
}

func (i identity) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}

func (i identity) set(header http.Header) {
	header.Set("Authorization", "Bearer "+i.token)
	if i.userAgent != "" {
		header.Set("User-Agent", i.userAgent)
	}
}

// call makes one call with its deadline, and says what failed where it fails.
func call[Req, Res any](
	ctx context.Context, c *Client, doing string,
	method func(context.Context, *Req) (*Res, error), req *Req,
) (*Res, error) {
	limited, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	res, err := method(limited, req)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx) // who ended it knows why
	}
	if err != nil {
		return nil, c.failed(doing, err)
	}
	return res, nil
}

// Submit stores a job, and says whether its idempotency key named one that was
// there before. Where its error is Uncertain, the job may have been stored.
func (c *Client) Submit(ctx context.Context, req *switchyardv1.SubmitJobRequest) (*switchyardv1.SubmitJobResponse, error) {
	return call(ctx, c, "submitting the job", c.jobs.SubmitJob, req)
}

// Job answers with one job.
func (c *Client) Job(ctx context.Context, id string) (*switchyardv1.Job, error) {
	res, err := call(ctx, c, "showing job "+id, c.jobs.GetJob, &switchyardv1.GetJobRequest{Id: id})
	return res.GetJob(), err
}

// CancelJob has a job stopped; reason is words for people.
func (c *Client) CancelJob(ctx context.Context, id, reason string) (*switchyardv1.Job, error) {
	res, err := call(ctx, c, "canceling job "+id, c.jobs.CancelJob,
		&switchyardv1.CancelJobRequest{Id: id, Reason: reason})
	return res.GetJob(), err
}

// PauseWorker has a worker take no more work; reason is words for people. The
// worker is named by its id, or by its name where only one has it.
func (c *Client) PauseWorker(ctx context.Context, id, reason string) (*switchyardv1.Worker, error) {
	res, err := call(ctx, c, "pausing agent "+id, c.agents.PauseWorker,
		&switchyardv1.PauseWorkerRequest{Id: id, Reason: reason})
	return res.GetWorker(), err
}

// ResumeWorker lets a paused worker take work again.
func (c *Client) ResumeWorker(ctx context.Context, id string) (*switchyardv1.Worker, error) {
	res, err := call(ctx, c, "resuming agent "+id, c.agents.ResumeWorker, &switchyardv1.ResumeWorkerRequest{Id: id})
	return res.GetWorker(), err
}

// StopWorker has a worker leave when it has finished what it runs, or with force
// cancel what it runs and leave.
func (c *Client) StopWorker(ctx context.Context, id string, force bool, reason string) (*switchyardv1.Worker, error) {
	res, err := call(ctx, c, "stopping agent "+id, c.agents.StopWorker,
		&switchyardv1.StopWorkerRequest{Id: id, Force: force, Reason: reason})
	return res.GetWorker(), err
}
