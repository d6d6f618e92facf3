package httpclient

import (
	"context"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync"
)

// want is the need of one request for a connection. net/http opens connections in
// goroutines of its own, which know the request by its context only.
type want struct {
	mu sync.Mutex
	// turn is the present search for a connection; a request that net/http repeats
	// searches again.
	turn *turn
	// conn is the connection that the request has, or that was opened for it.
	conn *trackedConn
}

// turn is one search of a request for a connection.
type turn struct {
	ended chan struct{} // closed when the request has a connection, or has failed
	// conn is the connection and err the failure, after ended.
	conn net.Conn
	err  error
}

type wantKey struct{}

// wanting returns the request with a context by which its need is known.
func wanting(request *http.Request) (*http.Request, *want) {
	w := &want{turn: newTurn()}
	ctx := httptrace.WithClientTrace(request.Context(), &httptrace.ClientTrace{
		GetConn: func(string) { w.again() },
		GotConn: func(info httptrace.GotConnInfo) { w.end(info.Conn, nil) },
	})
	return request.WithContext(context.WithValue(ctx, wantKey{}, w)), w
}

// wantOf returns the need in a context, or nil.
func wantOf(ctx context.Context) *want {
	w, _ := ctx.Value(wantKey{}).(*want)
	return w
}

func newTurn() *turn { return &turn{ended: make(chan struct{})} }

// again begins a new search.
func (w *want) again() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.endTurn(nil, nil)
	w.turn = newTurn()
}

// end ends the search with a connection or a failure. It may be called more than once.
func (w *want) end(conn net.Conn, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if conn != nil {
		w.conn = trackedOf(conn)
	}
	w.endTurn(conn, err)
}

func (w *want) endTurn(conn net.Conn, err error) {
	select {
	case <-w.turn.ended:
	default:
		w.turn.conn, w.turn.err = conn, err
		close(w.turn.ended)
	}
}

// current returns the present search.
func (w *want) current() *turn {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.turn
}

// opened notes the connection that was opened for the request.
func (w *want) opened(conn net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn = trackedOf(conn)
}

// failed notes that the request has failed without a response, and sets the address
// aside that it was sent to.
func (w *want) failed() {
	w.mu.Lock()
	conn := w.conn
	w.mu.Unlock()
	if conn != nil {
		conn.failed()
	}
}
