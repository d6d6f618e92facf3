package transport

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const defaultUserAgent = "switchyard"

// Options configure a [Transport].
type Options struct {
	// Endpoint is the base URL of the control plane's REST API, http or https,
	// for example http://127.0.0.1:7420/v3, or a Unix socket and the API's path
	// there, for example unix:///run/switchyard.sock:/v3. Required.
	Endpoint string
	// UserAgent is sent with every request. Empty means "switchyard".
	UserAgent string
	// Headers are sent with every request until the control plane sets others.
	// All names begin with "Buildkite-".
	Headers http.Header
	// HeldJobs returns the IDs of the jobs that this process holds, running or with an
	// undelivered result, for the pings and heartbeats of one worker, the most important
	// first. Nil means none. It is called concurrently.
	HeldJobs func(workerID string) []string
	// Logger receives retries and the loss and return of streams; tokens are
	// never logged. Nil logs nothing.
	Logger *zap.Logger
	// TLS, CurrentTLS, DialContext and Proxy are those of [httpclient.Options].
	TLS         *tls.Config
	CurrentTLS  func() *tls.Config
	DialContext httpclient.DialFunc
	Proxy       func(*http.Request) (*url.URL, error)
}

// validate returns the endpoint, or an error that names the wrong field.
func (o Options) validate() (httpclient.Endpoint, error) {
	if o.Endpoint == "" {
		return httpclient.Endpoint{}, errors.New("transport options: Endpoint is required")
	}
	endpoint, err := httpclient.ParseEndpoint(o.Endpoint)
	if err != nil {
		return httpclient.Endpoint{}, fmt.Errorf("transport options: Endpoint %w", err)
	}
	if name, ok := firstForbidden(o.Headers); ok {
		return httpclient.Endpoint{}, fmt.Errorf(
			"transport options: Headers: %q must be a valid header whose name begins with %q", name, wire.RequestHeaderPrefix,
		)
	}
	return endpoint, nil
}

// Transport holds the connections to a control plane. All workers of an agent
// share one. It is safe for concurrent use.
type Transport struct {
	endpoint  httpclient.Endpoint
	userAgent string
	headers   http.Header
	held      func(workerID string) []string
	log       *zap.Logger
	client    *httpclient.Client                          // without a timeout of its own
	do        func(*http.Request) (*http.Response, error) // sends calls and streams
	trailers  trailerSupport
	contact   contact

	// streamed is set once any worker of this process has received a message
	// over a stream. A refusal after that may be an upgrade of the control
	// plane, so it must be repeated before it counts.
	streamed atomic.Bool
}

// New validates the options and returns a transport. It opens no connection. The
// error names the field that is wrong.
func New(options Options) (*Transport, error) {
	endpoint, err := options.validate()
	if err != nil {
		return nil, err
	}
	if options.UserAgent == "" {
		options.UserAgent = defaultUserAgent
	}
	if options.Logger == nil {
		options.Logger = zap.NewNop()
	}
	if options.HeldJobs == nil {
		options.HeldJobs = func(string) []string { return nil }
	}
	client := httpclient.New(httpclient.Options{
		TLS: options.TLS, CurrentTLS: options.CurrentTLS, DialContext: options.DialContext, Proxy: options.Proxy,
		FollowRedirects: true, DetectHTTP2: true,
	})
	return &Transport{
		endpoint:  endpoint,
		userAgent: options.UserAgent,
		headers:   options.Headers.Clone(),
		held:      options.HeldJobs,
		log:       options.Logger,
		client:    client,
		do:        client.Do,
		trailers:  trailerSupport{log: options.Logger},
	}, nil
}

// Close closes every connection. Calls and streams in flight fail, and so do
// later ones.
func (t *Transport) Close() { t.client.Close() }
