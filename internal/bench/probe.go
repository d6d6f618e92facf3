package main

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// streamFault is a fault of new streams.
type streamFault int

const (
	noFault     streamFault = iota
	unavailable             // 503, as from a proxy without a backend
	noResponse              // no response
	noMessage               // response headers, and no message
	noKeepAlive             // no fault, except that no keep-alive interval is announced
)

// probe wraps the handler of a control plane. It reports events with their times,
// and injects faults into streams. It may be used concurrently.
type probe struct {
	mu            sync.Mutex
	subscriptions map[*subscription]struct{}
	fault         func(worker string) streamFault
	streams       map[*liveStream]struct{}
}

// liveStream is one open stream.
type liveStream struct {
	worker string
	cancel context.CancelFunc
	killed bool // under the probe's lock
}

func newProbe() *probe {
	return &probe{
		subscriptions: map[*subscription]struct{}{}, streams: map[*liveStream]struct{}{},
		fault: func(string) streamFault { return noFault },
	}
}

// subscribe returns a subscription to all events until unsubscribe is called.
func (p *probe) subscribe() *subscription {
	w := newSubscription()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subscriptions[w] = struct{}{}
	return w
}

func (p *probe) unsubscribe(w *subscription) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.subscriptions, w)
}

func (p *probe) report(s event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.subscriptions {
		w.add(s)
	}
}

// setFault sets the fault of streams opened from now on, by worker.
func (p *probe) setFault(fault func(worker string) streamFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// kill resets the streams of a worker, or of all workers if worker is empty.
func (p *probe) kill(worker string) {
	p.mu.Lock()
	streams := slices.Collect(maps.Keys(p.streams))
	p.mu.Unlock()
	for _, s := range streams {
		if worker != "" && s.worker != worker {
			continue
		}
		p.mu.Lock()
		s.killed = true
		p.mu.Unlock()
		s.cancel()
	}
}

// wrap is for the control plane's Config.Wrap.
func (p *probe) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		if r.URL.Path == agentedgev1connect.AgentEdgeServiceStreamPingsProcedure {
			p.report(event{kind: streamRequested, at: now, worker: r.Header.Get("Authorization")})
			p.stream(next, w, r)
			return
		}
		if s, ok := requestEvent(r); ok {
			s.at = now
			p.report(s)
		}
		next.ServeHTTP(w, r)
	})
}

// requestEvent returns the event for a request, without its time, if it has one.
func requestEvent(r *http.Request) (event, bool) {
	s := event{worker: r.Header.Get("Authorization")}
	route, ok := strings.CutPrefix(r.URL.Path, "/v3/")
	if !ok {
		return s, false
	}
	switch route {
	case "connect":
		s.kind = workerConnected
	case "ping":
		s.kind = pingSent
	case "heartbeat":
		s.kind = heartbeatSent
	default:
		var call string
		s.job, call, _ = strings.Cut(strings.TrimPrefix(route, "jobs/"), "/")
		switch call {
		case "accept":
			s.kind = jobAccepted
		case wordStart:
			s.kind = jobStarted
		case "finish":
			s.kind = jobFinished
		default:
			return s, false
		}
	}
	return s, true
}

// stream serves one stream with the fault that is set.
func (p *probe) stream(next http.Handler, w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	live := &liveStream{worker: r.Header.Get("Authorization"), cancel: cancel}
	p.mu.Lock()
	fault := p.fault(live.worker)
	p.streams[live] = struct{}{}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		delete(p.streams, live)
		p.mu.Unlock()
	}()
	switch fault {
	case unavailable:
		http.Error(w, "the stream is unavailable", http.StatusServiceUnavailable)
		return
	case noMessage:
		w.Header().Set("Content-Type", "application/grpc")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush() // a failure ends the wait below
		<-ctx.Done()
	case noResponse:
		<-ctx.Done()
	case noFault, noKeepAlive:
		out := &streamWriter{ResponseWriter: w, onMessage: func(s event) {
			s.worker = live.worker
			p.report(s)
		}}
		if fault == noKeepAlive {
			out.without = wire.HeaderKeepAlive
		}
		next.ServeHTTP(out, r.WithContext(ctx))
	}
	p.mu.Lock()
	abort := live.killed
	p.mu.Unlock()
	if abort {
		p.report(event{kind: streamKilled, at: time.Now(), worker: live.worker})
		panic(http.ErrAbortHandler) // resets the stream
	}
}
