// Package faultproxy is a reverse proxy that can cut or mute one path of a control
// plane, or answer for it, while all others work. Streams and calls share one port, and
// often one connection, so that only an HTTP proxy can do that to one of them.
package faultproxy

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

const readHeaderTimeout = 10 * time.Second

// Proxy forwards requests to one control plane. Its methods may be called
// concurrently.
type Proxy struct {
	listener net.Listener
	server   *http.Server
	forward  *httputil.ReverseProxy
	upstream *http.Transport
	served   chan error

	mu     sync.Mutex
	routes map[string]*route
}

// route is the state of one path.
type route struct {
	uncut context.Context //nolint:containedctx // ends every request on the route when it is cut
	cut   context.CancelFunc
	muted atomic.Bool // responses are discarded
	// answer responds to new requests in place of the control plane; nil forwards
	// them.
	answer atomic.Pointer[Answer]
}

// Start starts a proxy on a free port of 127.0.0.1. The target is the http URL of a
// server with HTTP/2 without TLS.
func Start(ctx context.Context, target string) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("fault proxy: the target is not a URL: %w", err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("fault proxy: %w", err)
	}
	// Only HTTP/2 forwards trailers, which carry the status of a stream.
	up := new(http.Protocols)
	up.SetUnencryptedHTTP2(true)
	down := new(http.Protocols)
	down.SetHTTP1(true)
	down.SetUnencryptedHTTP2(true)
	quiet := log.New(io.Discard, "", 0) // a cut request is not an error
	upstream := &http.Transport{Protocols: up}
	p := &Proxy{
		listener: listener,
		upstream: upstream,
		served:   make(chan error, 1),
		routes:   map[string]*route{},
	}
	p.forward = &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		Transport:     upstream,
		FlushInterval: -1, // flush each message of a stream
		ErrorLog:      quiet,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the control plane did not respond: "+err.Error(), http.StatusBadGateway)
		},
	}
	p.server = &http.Server{
		Handler: p, Protocols: down, ReadHeaderTimeout: readHeaderTimeout, ErrorLog: quiet,
	}
	go func() { p.served <- p.server.Serve(listener) }()
	return p, nil
}

// URL returns the URL of the proxy, such as http://127.0.0.1:41234.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Cut aborts every running request for the path. New ones get status 503 until Heal
// is called.
func (p *Proxy) Cut(path string) {
	p.route(path).cut()
}

// Mute discards the responses to running and new requests for the path until Heal is
// called. Their connections stay open, and PINGs are acknowledged.
func (p *Proxy) Mute(path string) {
	p.route(path).muted.Store(true)
}

// Respond makes the proxy answer new requests for the path until Heal is called. The
// control plane does not receive them.
func (p *Proxy) Respond(path string, with Answer) {
	p.route(path).answer.Store(&with)
}

// Heal forwards requests for the path again. It aborts muted requests, whose
// responses are incomplete.
func (p *Proxy) Heal(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r := p.routes[path]; r != nil && r.muted.Load() {
		r.cut()
	}
	delete(p.routes, path)
}

func (p *Proxy) route(path string) *route {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.routes[path]
	if r == nil {
		uncut, cut := context.WithCancel(context.Background())
		r = &route{uncut: uncut, cut: cut}
		p.routes[path] = r
	}
	return r
}

// ServeHTTP forwards one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := p.route(r.URL.Path)
	if route.uncut.Err() != nil {
		http.Error(w, "this route is cut", http.StatusServiceUnavailable)
		return
	}
	if answer := route.answer.Load(); answer != nil {
		answer.write(w)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(route.uncut, cancel)()
	p.forward.ServeHTTP(&mutable{ResponseWriter: w, muted: &route.muted}, r.WithContext(ctx))
	if route.muted.Load() { // the end of the response must not arrive either
		<-ctx.Done()
		panic(http.ErrAbortHandler)
	}
}

// Close ends every request and stops listening.
func (p *Proxy) Close() error {
	err := p.server.Close()
	p.upstream.CloseIdleConnections()
	if served := <-p.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	if err != nil {
		return fmt.Errorf("fault proxy: %w", err)
	}
	return nil
}
