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

// streamFault is what becomes of the streams that are opened.
type streamFault int

const (
	whole       streamFault = iota
	gone                    // answered with 503, as by a proxy that has lost its backend
	neverOpens              // no answer at all
	neverSpeaks             // an answer, and no message
	unannounced             // whole, but the control plane does not say how often it speaks
)

// probe sits around the handler of a control plane. It notes the time of what
// goes by, and takes streams away.
type probe struct {
	mu      sync.Mutex
	watches map[*watch]struct{}
	fault   func(worker string) streamFault
	streams map[*liveStream]struct{}
}

// liveStream is one stream that is being served.
type liveStream struct {
	worker string
	cancel context.CancelFunc
	killed bool // under the probe's lock
}

func newProbe() *probe {
	return &probe{
		watches: map[*watch]struct{}{}, streams: map[*liveStream]struct{}{},
		fault: func(string) streamFault { return whole },
	}
}

// watch hears of everything from now on, until forget.
func (p *probe) watch() *watch {
	w := newWatch()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watches[w] = struct{}{}
	return w
}

func (p *probe) forget(w *watch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watches, w)
}

func (p *probe) note(s sight) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for w := range p.watches {
		w.add(s)
	}
}

// setFault says what becomes of each worker's streams that are opened from now
// on.
func (p *probe) setFault(fault func(worker string) streamFault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = fault
}

// kill resets the streams of a worker; of all workers if it is empty.
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

// wrap is the control plane's Config.Wrap.
func (p *probe) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		if r.URL.Path == agentedgev1connect.AgentEdgeServiceStreamPingsProcedure {
			p.note(sight{what: asked, at: now, worker: r.Header.Get("Authorization")})
			p.stream(next, w, r)
			return
		}
		if s, ok := requestSight(r); ok {
			s.at = now
			p.note(s)
		}
		next.ServeHTTP(w, r)
	})
}

// requestSight is what there is to note about a call of an agent.
func requestSight(r *http.Request) (sight, bool) {
	s := sight{worker: r.Header.Get("Authorization")}
	route, ok := strings.CutPrefix(r.URL.Path, "/v3/")
	if !ok {
		return s, false
	}
	switch route {
	case "connect":
		s.what = connected
	case "ping":
		s.what = pinged
	case "heartbeat":
		s.what = beat
	default:
		var call string
		s.job, call, _ = strings.Cut(strings.TrimPrefix(route, "jobs/"), "/")
		switch call {
		case "accept":
			s.what = accepted
		case "start":
			s.what = started
		case "finish":
			s.what = finished
		default:
			return s, false
		}
	}
	return s, true
}

// stream serves one stream, with what fault there is.
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
	case gone:
		http.Error(w, "the stream is away", http.StatusServiceUnavailable)
		return
	case neverSpeaks:
		w.Header().Set("Content-Type", "application/grpc")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush() // if the agent is gone, so is the wait below
		<-ctx.Done()
	case neverOpens:
		<-ctx.Done()
	case whole, unannounced:
		out := &streamWriter{ResponseWriter: w, spoken: func(s sight) {
			s.worker = live.worker
			p.note(s)
		}}
		if fault == unannounced {
			out.without = wire.HeaderKeepAlive
		}
		next.ServeHTTP(out, r.WithContext(ctx))
	}
	p.mu.Lock()
	abort := live.killed
	p.mu.Unlock()
	if abort {
		p.note(sight{what: killed, at: time.Now(), worker: live.worker})
		panic(http.ErrAbortHandler) // net/http's way to reset a stream
	}
}
