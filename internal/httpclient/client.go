package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	// pingAfter is how long an HTTP/2 connection may be silent before a PING is
	// sent, and pingTimeout how long its acknowledgement may take.
	pingAfter   = 10 * time.Second
	pingTimeout = 5 * time.Second

	tlsHandshakeTimeout = 10 * time.Second
	idleConnTimeout     = 90 * time.Second
	// maxIdlePerHost suits hundreds of workers on one HTTP/1.1 control plane;
	// with the default of two nearly every call would dial.
	maxIdlePerHost = 256
	// maxHeader bounds the headers of a response, and the trailers of a stream.
	maxHeader = 256 << 10

	// redialInterval is the least time between two calls of [Client.Redial] that
	// have an effect.
	redialInterval = 10 * time.Second
)

// DialFunc opens a connection. For a Unix socket the network is "unix" and the
// address is the path of the socket.
type DialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// Options configure a [Client]. The zero value is valid.
type Options struct {
	// TLS is the configuration for https endpoints. It is cloned. Nil means the
	// system's roots and no client certificate.
	TLS *tls.Config
	// CurrentTLS, if it is set, returns the configuration for https endpoints in place
	// of TLS, and is called for each request, one call at a time. A different pointer than
	// before is used for the connections that are opened from then on; those that are
	// open serve the requests that they have.
	CurrentTLS func() *tls.Config
	// DialContext opens connections. Nil means a [net.Dialer] with TCP keep-alive.
	DialContext DialFunc
	// Lookup returns the addresses of a name, for every connection. Nil means the
	// system's resolver or, with DialContext, that names are passed to that.
	Lookup LookupFunc
	// DialTimeout bounds looking up a name and connecting to one of its addresses. Zero
	// means ten seconds.
	DialTimeout time.Duration
	// Proxy returns the proxy for a request. Nil means
	// [http.ProxyFromEnvironment]. Unix sockets are never reached through a proxy.
	Proxy func(*http.Request) (*url.URL, error)
	// FollowRedirects follows redirects that keep the method. Tokens are sent only
	// to the origin of the first request. False returns the redirect as it is.
	FollowRedirects bool
	// DetectHTTP2 asks http servers whether they speak HTTP/2 without TLS. False
	// means HTTP/1.1 for them.
	DetectHTTP2 bool
}

// Client sends requests and keeps the connections. It is safe for concurrent use.
type Client struct {
	http      http.Client
	secure    *secureTransport // serves https: HTTP/2 by ALPN, else HTTP/1.1
	proxy     func(*http.Request) (*url.URL, error)
	conns     *connections
	detect    bool
	protocols *protocolCache

	mu       sync.Mutex
	plain    plainTransports
	redialed time.Time // when Redial last had an effect
}

// plainTransports serve http.
type plainTransports struct {
	direct *http.Transport // over HTTP/1.1
	clear  *http.Transport // over HTTP/2 without TLS
}

func (p plainTransports) closeIdle() {
	p.direct.CloseIdleConnections()
	p.clear.CloseIdleConnections()
}

// New returns a client. It opens no connection.
func New(options Options) *Client {
	proxy := options.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	conns := newConnections(options)
	c := &Client{
		proxy: exceptSockets(proxy), conns: conns, detect: options.DetectHTTP2,
		protocols: newProtocolCache(conns.dialContext),
	}
	c.secure = newSecureTransport(options, conns, c.proxy)
	c.plain = c.newPlain()
	c.http = http.Client{Transport: roundTripper{c}, CheckRedirect: returnRedirect}
	if options.FollowRedirects {
		c.http.CheckRedirect = checkRedirect
	}
	return c
}

func (c *Client) newPlain() plainTransports {
	onlyHTTP1, onlyHTTP2 := new(http.Protocols), new(http.Protocols)
	onlyHTTP1.SetHTTP1(true)
	onlyHTTP2.SetUnencryptedHTTP2(true)
	direct := newTransport(c.conns.dialContext, onlyHTTP1)
	direct.Proxy = c.proxy
	return plainTransports{direct: direct, clear: newTransport(newDialGate(c.conns.dialContext).dialContext, onlyHTTP2)}
}

func newTransport(dial DialFunc, protocols *http.Protocols) *http.Transport {
	return &http.Transport{
		DialContext: dial,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, response *http.Response) error {
			if response.StatusCode != http.StatusOK {
				// The proxy is not named: its URL may contain a password.
				return fmt.Errorf("the proxy responded %s", response.Status)
			}
			return nil
		},
		TLSHandshakeTimeout:    tlsHandshakeTimeout,
		IdleConnTimeout:        idleConnTimeout,
		MaxIdleConnsPerHost:    maxIdlePerHost,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              protocols,
		// StrictMaxConcurrentRequests stays false: when a server's limit of
		// streams on a connection is reached another connection is opened, so that
		// the streams of many workers do not block each other.
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
	}
}

// Do sends a request as [http.Client.Do] does, without a timeout of its own. In its
// errors a Unix socket has the name that people use.
func (c *Client) Do(request *http.Request) (*http.Response, error) {
	response, err := c.http.Do(request) //nolint:gosec // the configured control plane
	if failed, ok := errors.AsType[*url.Error](err); ok {
		if address, parseErr := url.Parse(failed.URL); parseErr == nil {
			failed.URL = displayURL(address)
		}
	}
	return response, err //nolint:wrapcheck // a [url.Error] names the request already
}

// Close closes every connection. Requests in flight and later ones fail.
func (c *Client) Close() {
	c.conns.close()
	c.closeIdle()
}

func (c *Client) closeIdle() {
	c.secure.closeIdle()
	c.currentPlain().closeIdle()
}

func (c *Client) currentPlain() plainTransports {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.plain
}

// Leave makes later requests use new connections, to other addresses where the name of
// the host has several. Requests in flight keep theirs, which are closed when they have
// had no request for a while.
func (c *Client) Leave() {
	c.conns.leave()
	c.secure.renew()
	c.mu.Lock()
	before := c.plain
	c.plain = c.newPlain()
	c.mu.Unlock()
	before.closeIdle()
}

// Redial closes idle connections, so that the next request dials and looks up the
// name of the host again. Connections in use are kept. It does nothing within ten
// seconds of the last time, so that a fleet whose streams fail one after another
// keeps its connections for other calls.
func (c *Client) Redial() {
	c.mu.Lock()
	now := time.Now()
	due := c.redialed.IsZero() || now.Sub(c.redialed) >= redialInterval
	if due {
		c.redialed = now
	}
	c.mu.Unlock()
	if due {
		c.closeIdle()
	}
}

// ForgetProtocol makes the next request to an http endpoint ask again which
// protocol the server speaks, unless that was asked later than at the given time.
func (c *Client) ForgetProtocol(endpoint Endpoint, usedAt time.Time) {
	c.protocols.forget(hostPort(endpoint.base), usedAt)
}

// ForgetUncertainProtocols forgets the protocols of servers that gave no clear
// response when they were asked.
func (c *Client) ForgetUncertainProtocols() { c.protocols.forgetUncertain() }

// roundTripper is the [http.RoundTripper] below redirects: it picks the protocol
// and explains failures of TLS, and of connecting.
type roundTripper struct{ *Client }

// RoundTrip implements [http.RoundTripper].
func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) {
	wanting, w := wanting(request)
	response, err := r.send(wanting)
	if err == nil {
		w.end(nil, nil)
		if response.TLS != nil {
			r.secure.asked.accepted.Store(true)
		}
		return response, nil
	}
	if ended := request.Context().Err(); ended == nil {
		w.end(nil, err)
		w.failed()
	} else {
		w.end(nil, nil) // no failure of others
		if errors.Is(ended, context.DeadlineExceeded) {
			w.failed()
		}
	}
	reason := tlsReason(err)
	if reason == nil && request.URL.Scheme == schemeHTTPS {
		reason = r.secure.asked.reason(err)
	}
	if reason == nil {
		reason = connectReason(err)
	}
	if reason != nil {
		err = fmt.Errorf("%w (%w)", reason, err)
	}
	return nil, err
}

func (r roundTripper) send(request *http.Request) (*http.Response, error) {
	if isSocketHost(request.URL.Host) {
		request = request.WithContext(request.Context()) // a copy: a RoundTripper must not change the request
		request.Host = socketHostHeader
	}
	if request.URL.Scheme == schemeHTTPS {
		return r.secure.current().RoundTrip(request) //nolint:wrapcheck // [url.Error] names the request
	}
	plain := r.currentPlain()
	if !r.detect || r.proxied(request) {
		return plain.direct.RoundTrip(request) //nolint:wrapcheck // [url.Error] names the request
	}
	address := hostPort(request.URL)
	protocol, err := r.protocols.of(request.Context(), address)
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // a RoundTripper closes the body, also on errors
		}
		return nil, err
	}
	transport := plain.direct
	if protocol.http2 {
		transport = plain.clear
	}
	response, err := transport.RoundTrip(request)
	if err != nil && request.Context().Err() == nil {
		// The next server at this address may speak another protocol.
		r.protocols.forget(address, protocol.foundAt)
	}
	return response, err //nolint:wrapcheck // [url.Error] names the request
}

// proxied reports whether the request goes through a proxy. HTTP/2 without TLS
// does not pass one.
func (r roundTripper) proxied(request *http.Request) bool {
	proxy, err := r.proxy(request)
	return err != nil || proxy != nil
}
