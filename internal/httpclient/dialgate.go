package httpclient

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"
)

// settleTime is how long a request waits for a share of a connection that was just
// opened, before another one is opened.
const settleTime = 20 * time.Millisecond

// errNotNeeded ends the opening of a connection whose request has another one. Nobody
// receives it.
var errNotNeeded = errors.New("the request has a connection")

// dialGate opens one connection at a time to each address. Without it, each of a
// thousand requests that meet a control plane which returns would open one, though
// HTTP/2 serves all of them over a few. It is safe for concurrent use.
type dialGate struct {
	dial DialFunc

	mu    sync.Mutex
	hosts map[string]*gatedHost
}

// gatedHost is what is known about one address.
type gatedHost struct {
	opening *turn // nil while nobody opens a connection
	opened  time.Time
	// parallel is set once the server has chosen HTTP/1.1, where a connection serves one
	// request at a time.
	parallel bool
}

func newDialGate(dial DialFunc) *dialGate {
	return &dialGate{dial: dial, hosts: map[string]*gatedHost{}}
}

// dialContext opens a connection for a request, when it is the request's turn. While
// another request opens one, it waits: for a share of that, or for its failure, which
// is then this one's, too.
func (g *dialGate) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	w := wantOf(ctx)
	if w == nil {
		return g.dial(ctx, network, address)
	}
	mine := w.current()
	for {
		g.mu.Lock()
		host := g.hosts[address]
		if host == nil {
			host = &gatedHost{}
			g.hosts[address] = host
		}
		opening, settled := host.opening, time.Until(host.opened.Add(settleTime))
		free := opening == nil && settled <= 0
		if free && !host.parallel {
			opening = newTurn()
			host.opening = opening
		}
		parallel := host.parallel
		g.mu.Unlock()
		if parallel {
			return g.dial(ctx, network, address)
		}
		if free {
			return g.open(ctx, w, network, address, opening)
		}
		if err := await(ctx, mine, opening, settled); err != nil {
			return nil, err
		}
	}
}

// await returns nil when it may be the turn of a search, or the error with which it
// ends.
func await(ctx context.Context, mine, opening *turn, settled time.Duration) error {
	var ended <-chan struct{}
	var moment <-chan time.Time
	if opening != nil {
		ended = opening.ended
	} else {
		timer := time.NewTimer(settled)
		defer timer.Stop()
		moment = timer.C
	}
	select {
	case <-ended:
		return opening.err
	case <-moment:
		return nil
	case <-mine.ended:
		return errNotNeeded
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// open opens a connection. The turn of the next one comes when the request has it.
func (g *dialGate) open(ctx context.Context, w *want, network, address string, opening *turn) (net.Conn, error) {
	conn, err := g.dial(ctx, network, address)
	if err != nil {
		g.end(address, opening, nil, err)
		return nil, err
	}
	w.opened(conn)
	mine := w.current()
	go func() {
		<-mine.ended
		g.end(address, opening, mine.conn, mine.err)
	}()
	return conn, nil
}

// end ends the opening of a connection, and lets the next one begin.
func (g *dialGate) end(address string, opening *turn, conn net.Conn, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	host := g.hosts[address]
	host.opening = nil
	if err == nil {
		host.opened = time.Now() // also if others have taken all of it before the request
	}
	if conn != nil {
		secure, ok := conn.(*tls.Conn)
		host.parallel = ok && secure.ConnectionState().NegotiatedProtocol != "h2"
	}
	opening.err = err
	close(opening.ended)
}
