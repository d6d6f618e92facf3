package transport

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

const (
	// An HTTP/2 connection that has been silent for pingAfter is sent a PING
	// and closed if it is not answered within pingAnswer: a connection whose
	// packets vanish is noticed within their sum.
	pingAfter  = 10 * time.Second
	pingAnswer = 5 * time.Second

	tlsHandshakeTimeout = 10 * time.Second
	idleConnTimeout     = 90 * time.Second
	// maxIdlePerHost suits hundreds of workers on one HTTP/1.1 control plane;
	// the default of two would dial for nearly every call.
	maxIdlePerHost = 256
	// maxHeader bounds the headers of an answer, and the trailers of a stream.
	maxHeader = 256 << 10
)

// router sends each request over the protocol that its server speaks. It is
// the [http.RoundTripper] under all calls and streams.
type router struct {
	// direct serves https (HTTP/2 by ALPN, else HTTP/1.1) and http over
	// HTTP/1.1.
	direct *http.Transport
	// clear serves http over HTTP/2 with prior knowledge.
	clear    *http.Transport
	findings *findings
	conns    *connections
	asked    *certificateAsked

	redialing redialing
}

func newRouter(options Options) *router {
	conns := newConnections(options.DialContext)
	proxy := options.Proxy
	if proxy == nil {
		proxy = http.ProxyFromEnvironment
	}
	tlsConfig := options.TLS.Clone()
	if tlsConfig == nil {
		tlsConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	asked := new(certificateAsked)
	asked.watch(tlsConfig)
	withTLS, withoutTLS := new(http.Protocols), new(http.Protocols)
	withTLS.SetHTTP1(true)
	withTLS.SetHTTP2(true)
	withoutTLS.SetUnencryptedHTTP2(true)
	return &router{
		direct:   newHTTPTransport(conns, withTLS, notOverSockets(proxy), tlsConfig),
		clear:    newHTTPTransport(conns, withoutTLS, nil, nil),
		findings: newFindings(conns.dialContext),
		conns:    conns,
		asked:    asked,
	}
}

func newHTTPTransport(
	conns *connections, protocols *http.Protocols, proxy func(*http.Request) (*url.URL, error), tlsConfig *tls.Config,
) *http.Transport {
	return &http.Transport{
		Proxy:           proxy,
		DialContext:     conns.dialContext,
		TLSClientConfig: tlsConfig,
		OnProxyConnectResponse: func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
			if answer.StatusCode != http.StatusOK {
				// Not which proxy: its URL may hold a password.
				return fmt.Errorf("the proxy answers %s", answer.Status)
			}
			return nil
		},
		TLSHandshakeTimeout: tlsHandshakeTimeout,
		IdleConnTimeout:     idleConnTimeout,
		MaxIdleConnsPerHost: maxIdlePerHost,

		MaxResponseHeaderBytes: maxHeader,
		Protocols:              protocols,
		// Connections beyond a server's limit of concurrent streams are
		// opened as needed, so that streams of many workers do not block
		// each other (StrictMaxConcurrentRequests stays false).
		HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingAnswer},
	}
}

// RoundTrip implements [http.RoundTripper].
func (r *router) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.send(request)
	switch {
	case err == nil:
		if response.TLS != nil {
			r.asked.content.Store(true)
		}
	case tlsMeaning(err) != nil:
		err = plainly(tlsMeaning(err), err)
	case request.URL.Scheme == schemeHTTPS && r.asked.meaning(err) != nil:
		err = plainly(r.asked.meaning(err), err)
	}
	return response, err
}

func (r *router) send(request *http.Request) (*http.Response, error) {
	if isUnixHost(request.URL.Host) {
		request = request.WithContext(request.Context()) // a copy: the caller's is not ours to change
		request.Host = unixHostHeader
	}
	if request.URL.Scheme != schemeHTTP || r.proxied(request) {
		return r.direct.RoundTrip(request) //nolint:wrapcheck // net/http's errors name the request already
	}
	address := net.JoinHostPort(request.URL.Hostname(), portOf(request.URL))
	found, err := r.findings.of(request.Context(), address)
	if err != nil {
		if request.Body != nil {
			_ = request.Body.Close() // a RoundTripper closes the body, also on errors
		}
		return nil, err
	}
	if used := routeOf(request.Context()); used != nil {
		used.address, used.generation = address, found.generation
	}
	transport := r.direct
	if found.http2 {
		transport = r.clear
	}
	response, err := transport.RoundTrip(request)
	if err != nil && request.Context().Err() == nil {
		// Whatever listens there next may speak another protocol.
		r.findings.forget(address, found.generation)
	}
	return response, err //nolint:wrapcheck // net/http's errors name the request already
}

// proxied reports whether a proxy stands between; HTTP/2 without TLS does not
// get through one.
func (r *router) proxied(request *http.Request) bool {
	proxy, err := r.direct.Proxy(request)
	return err != nil || proxy != nil
}

// lost is told that a stream sent by that route is over without a plan.
func (r *router) lost(used *route) {
	if used.address != "" {
		r.findings.forget(used.address, used.generation)
	}
}

func (r *router) close() {
	r.conns.close()
	r.direct.CloseIdleConnections()
	r.clear.CloseIdleConnections()
}

// route notes, for a request that carries it in its context, which finding
// about the server's protocol it relied on.
type route struct {
	address    string
	generation uint64
}

type routeKey struct{}

func withRoute(ctx context.Context, used *route) context.Context {
	return context.WithValue(ctx, routeKey{}, used)
}

func routeOf(ctx context.Context) *route {
	used, _ := ctx.Value(routeKey{}).(*route)
	return used
}
