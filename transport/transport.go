package transport

import (
	"crypto/tls"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const defaultUserAgent = "switchyard"

// Options configure a [Transport].
type Options struct {
	// Endpoints are base URLs of the control plane's REST API, http or https, for
	// example http://127.0.0.1:7420/v3, or a Unix socket and the API's path there, for
	// example unix:///run/switchyard.sock:/v3. Several are replicas of one control
	// plane: when one fails another one is used. At least one is required.
	Endpoints []string
	// StreamPath is the path below which the stream is served, where a proxy serves the
	// control plane below a path, such as /switchyard. Empty is the root, whatever the
	// path of the endpoint.
	StreamPath string
	// Groups is how many groups the workers form. The workers of a group share
	// connections; groups begin at different endpoints, and spread over the replicas
	// behind a load balancer. Zero is one.
	Groups int
	// UserAgent is sent with every request. Empty means "switchyard".
	UserAgent string
	// Headers are sent with every request until the control plane sets others.
	// All names begin with "Buildkite-".
	Headers http.Header
	// HeldJobs returns the IDs of the jobs that this process holds, running or with an
	// undelivered result, for the pings and heartbeats of one worker, the most important
	// first. Nil means none. It is called concurrently.
	HeldJobs func(workerID string) []string
	// Machine returns the state of a worker's machine, for the pings, heartbeats and
	// accepts of the worker. Nil means that it is not reported. It is called concurrently.
	Machine func(workerID string) wire.MachineState
	// Logger receives retries and the loss and return of streams; tokens are
	// never logged. Nil logs nothing.
	Logger *zap.Logger
	// TLS, CurrentTLS, DialContext, Lookup and Proxy are those of [httpclient.Options].
	TLS         *tls.Config
	CurrentTLS  func() *tls.Config
	DialContext httpclient.DialFunc
	Lookup      httpclient.LookupFunc
	Proxy       func(*http.Request) (*url.URL, error)
}

// validate returns the endpoints, or an error that names the wrong field.
func (o Options) validate() ([]httpclient.Endpoint, error) {
	endpoints, err := httpclient.ParseEndpoints(o.Endpoints)
	if err != nil {
		return nil, fmt.Errorf("transport options: %w", err)
	}
	if o.StreamPath != "" && (!strings.HasPrefix(o.StreamPath, "/") || strings.ContainsAny(o.StreamPath, "?#")) {
		return nil, fmt.Errorf("transport options: stream path %q must begin with / and have no query", o.StreamPath)
	}
	if name, ok := firstForbidden(o.Headers); ok {
		return nil, fmt.Errorf(
			"transport options: Headers: %q must be a valid header whose name begins with %q", name, wire.RequestHeaderPrefix,
		)
	}
	return endpoints, nil
}

// Transport holds the connections to a control plane. All workers of an agent
// share one. It is safe for concurrent use.
type Transport struct {
	endpoints  []httpclient.Endpoint
	streamPath string // without a trailing slash
	userAgent  string
	headers    http.Header
	held       func(workerID string) []string
	machine    func(workerID string) wire.MachineState
	log        *zap.Logger
	groups     []*group
	registered atomic.Uint64 // how many registrations have begun
	trailers   trailerSupport
	contact    contact

	// streamed is set once any worker of this process has received a message
	// over a stream. A refusal after that may be an upgrade of the control
	// plane, so it must be repeated before it counts.
	streamed atomic.Bool
}

// New validates the options and returns a transport. It opens no connection. The
// error names the field that is wrong.
func New(options Options) (*Transport, error) {
	endpoints, err := options.validate()
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
	if options.Machine == nil {
		options.Machine = func(string) wire.MachineState { return wire.MachineState{} }
	}
	t := &Transport{
		endpoints:  endpoints,
		streamPath: strings.TrimRight(options.StreamPath, "/"),
		userAgent:  options.UserAgent,
		headers:    options.Headers.Clone(),
		held:       options.HeldJobs,
		machine:    options.Machine,
		log:        options.Logger,
		trailers:   trailerSupport{log: options.Logger},
	}
	client := httpclient.Options{
		TLS: options.TLS, CurrentTLS: options.CurrentTLS, DialContext: options.DialContext, Lookup: options.Lookup,
		DialTimeout: httpclient.DialTimeoutOf(len(endpoints)), Proxy: options.Proxy, FollowRedirects: true, DetectHTTP2: true,
	}
	// The processes of a fleet begin at different endpoints.
	first := rand.IntN(len(endpoints)) //nolint:gosec // spreads load, protects nothing
	for i := range max(1, options.Groups) {
		t.groups = append(t.groups, newGroup(t, client, first+i))
	}
	return t, nil
}

// Close closes every connection. Calls and streams in flight fail, and so do
// later ones.
func (t *Transport) Close() {
	for _, g := range t.groups {
		g.client.Close()
	}
}

// nextGroup returns the group of the next worker.
func (t *Transport) nextGroup() *group {
	n := t.registered.Add(1) - 1
	return t.groups[n%uint64(len(t.groups))]
}
