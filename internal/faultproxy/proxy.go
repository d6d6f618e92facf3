// Package faultproxy is a reverse proxy that can take one route of a control
// plane away and give it back, while all others go on working. Stream and calls
// share one port, so that cutting a connection would cut both; a route can only
// be cut by something that speaks HTTP.
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

// route is one path; the context ends when it is cut.
type route struct {
	whole context.Context //nolint:containedctx // ends every request on the route
	cut   context.CancelFunc
	muted atomic.Bool // what is answered on it does not arrive
}

// Start forwards what arrives at a free port of 127.0.0.1 to the target, an
// http URL of a server that speaks HTTP/2 without TLS.
func Start(ctx context.Context, target string) (*Proxy, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("fault proxy: the target is no URL: %w", err)
	}
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("fault proxy: %w", err)
	}
	// Trailers, which carry a stream's status, are for HTTP/2 to forward.
	up := new(http.Protocols)
	up.SetUnencryptedHTTP2(true)
	down := new(http.Protocols)
	down.SetHTTP1(true)
	down.SetUnencryptedHTTP2(true)
	quiet := log.New(io.Discard, "", 0) // a request that is cut is no fault
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
		FlushInterval: -1, // a stream's messages are few, and each is awaited
		ErrorLog:      quiet,
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "the control plane did not answer: "+err.Error(), http.StatusBadGateway)
		},
	}
	p.server = &http.Server{
		Handler: p, Protocols: down, ReadHeaderTimeout: readHeaderTimeout, ErrorLog: quiet,
	}
	go func() { p.served <- p.server.Serve(listener) }()
	return p, nil
}

// URL is where the proxy listens, such as http://127.0.0.1:41234.
func (p *Proxy) URL() string { return "http://" + p.listener.Addr().String() }

// Cut breaks every request for the path that is under way, and answers later
// ones with 503, until Heal.
func (p *Proxy) Cut(path string) {
	p.route(path).cut()
}

// Mute has the requests for the path that are under way, and later ones, go on
// without anything that they are answered arriving, until Heal. The connections
// stay, and answer every PING.
func (p *Proxy) Mute(path string) {
	p.route(path).muted.Store(true)
}

// Heal lets requests for the path through again. Those that were muted are
// broken, for they have missed something.
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
		whole, cut := context.WithCancel(context.Background())
		r = &route{whole: whole, cut: cut}
		p.routes[path] = r
	}
	return r
}

// ServeHTTP forwards one request.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	route := p.route(r.URL.Path)
	if route.whole.Err() != nil {
		http.Error(w, "this route is cut", http.StatusServiceUnavailable)
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(route.whole, cancel)()
	p.forward.ServeHTTP(&mutable{ResponseWriter: w, muted: &route.muted}, r.WithContext(ctx))
	if route.muted.Load() { // the end is not to arrive either
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
