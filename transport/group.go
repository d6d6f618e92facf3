package transport

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/httpclient/pick"
)

// group is the connections that some workers share, and the endpoint that they use. It
// is safe for concurrent use.
type group struct {
	transport *Transport
	client    *httpclient.Client                          // without a timeout of its own
	do        func(*http.Request) (*http.Response, error) // sends calls and streams
	endpoints *httpclient.Endpoints

	mu    sync.Mutex
	moves uint64 // how often the group has moved to other connections
}

func newGroup(t *Transport, options httpclient.Options, first int) *group {
	client := httpclient.New(options)
	return &group{transport: t, client: client, do: client.Do, endpoints: httpclient.NewEndpoints(t.endpoints, first)}
}

// tryAny makes a call once at the first of the endpoints that can be reached, and returns
// that. The timeout of the call bounds all of it.
func (g *group) tryAny(ctx context.Context, endpoints []httpclient.Endpoint, headers http.Header, c call) (httpclient.Endpoint, error) {
	deadline := time.Now().Add(c.timeout)
	for i, endpoint := range endpoints {
		c.timeout = time.Until(deadline)
		err := g.try(ctx, endpoint, headers, c)
		if i == len(endpoints)-1 || ctx.Err() != nil || !elsewhere(err) || !time.Now().Before(deadline) {
			return endpoint, err
		}
	}
	return httpclient.Endpoint{}, nil // there is at least one
}

// elsewhere reports whether a call with this error may be made at another endpoint at
// once: no control plane has received it.
func elsewhere(err error) bool {
	if status, ok := errors.AsType[*StatusError](err); ok {
		return !status.FromControlPlane && httpclient.NoBackend(status.Code) && status.RetryAfter == 0
	}
	return httpclient.Unreached(err)
}

// note notes what a call to an endpoint has shown. If another one is used from now on,
// that is logged.
func (g *group) note(endpoint httpclient.Endpoint, err error) {
	event := pick.Succeeded
	status, answered := errors.AsType[*StatusError](err)
	switch {
	case err == nil:
	case answered && !httpclient.NoBackend(status.Code): // it responds
	default:
		event = pick.Failed
	}
	if current, changed := g.endpoints.Note(endpoint, event); changed && event == pick.Failed {
		g.transport.log.Warn("endpoint failed; using another one",
			zap.Stringer("failed_endpoint", endpoint), zap.Stringer("endpoint", current), zap.Error(err))
	}
}

// moved returns how often the group has moved.
func (g *group) moved() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.moves
}

// move makes the group use other connections from now on and, if it can, another
// endpoint or address, as the control plane has asked. It does nothing if the group has
// moved since the number of moves was taken: its workers are asked one by one.
func (g *group) move(from httpclient.Endpoint, moves uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.moves != moves {
		return
	}
	g.moves++
	g.client.Leave()
	current, _ := g.endpoints.Note(from, pick.Left)
	g.transport.log.Info("moving to other connections, as the control plane asked", zap.Stringer("endpoint", current))
}
