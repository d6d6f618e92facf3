package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"

	"go.uber.org/zap"
)

const defaultUserAgent = "switchyard"

// Options says how to reach a control plane.
type Options struct {
	// Endpoint is the base URL of the control plane's REST API, http or https,
	// for example http://127.0.0.1:7420/v3, or a Unix socket and the API's path
	// there, for example unix:///run/switchyard.sock:/v3. Required.
	Endpoint string
	// UserAgent is sent with every request. Empty means "switchyard".
	UserAgent string
	// TLS is the configuration for https endpoints. It is cloned. Nil means the
	// system's roots and no client certificate.
	TLS *tls.Config
	// Headers are sent with every request until the control plane asks for a
	// set of its own. All names begin with "Buildkite-".
	Headers http.Header
	// Logger receives retries and the loss and return of streams; tokens are
	// never logged. Nil logs nothing.
	Logger *zap.Logger
	// DialContext opens connections. Nil means a [net.Dialer] with TCP
	// keep-alive, which looks the host's name up for every connection. For a
	// Unix socket the network is "unix", and the address its path.
	DialContext func(ctx context.Context, network, address string) (net.Conn, error)
	// Proxy picks the proxy of a request. Nil means
	// [http.ProxyFromEnvironment].
	Proxy func(*http.Request) (*url.URL, error)
}

// validate names the field that is wrong.
func (o Options) validate() (endpoint, error) {
	if o.Endpoint == "" {
		return endpoint{}, errors.New("transport options: Endpoint is required")
	}
	base, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return endpoint{}, fmt.Errorf("transport options: Endpoint: %w", err)
	}
	for name, values := range o.Headers {
		for _, value := range values {
			if !allowedRequestHeader(name, value) {
				return endpoint{}, fmt.Errorf(
					"transport options: Headers: %q must be a valid header whose name begins with %q", name, requestHeaderPrefix,
				)
			}
		}
	}
	return base, nil
}

// Transport holds the connections to a control plane. All workers of an agent
// share one. Its methods may be called concurrently.
type Transport struct {
	endpoint  endpoint
	userAgent string
	headers   http.Header
	log       *zap.Logger
	client    *http.Client // for calls and streams alike; it has no timeout of its own
	router    *router
	trailers  trailers // whether those of streams arrive

	// hadStream is set once any worker of this process has received a message
	// over a stream. A refusal after that may be an upgrade of the control
	// plane, and is not believed at once.
	hadStream atomic.Bool
}

// New checks the options and prepares the connections; it opens none. The
// error names the option that is wrong.
func New(options Options) (*Transport, error) {
	base, err := options.validate()
	if err != nil {
		return nil, err
	}
	if options.UserAgent == "" {
		options.UserAgent = defaultUserAgent
	}
	if options.Logger == nil {
		options.Logger = zap.NewNop()
	}
	router := newRouter(options)
	return &Transport{
		endpoint:  base,
		userAgent: options.UserAgent,
		headers:   options.Headers.Clone(),
		log:       options.Logger,
		client:    &http.Client{Transport: router, CheckRedirect: checkRedirect},
		router:    router,
		trailers:  trailers{log: options.Logger},
	}, nil
}

// Close closes every connection. Calls and streams that are still in flight
// fail, and so do later ones.
func (t *Transport) Close() { t.router.close() }
