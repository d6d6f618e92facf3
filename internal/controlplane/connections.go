package controlplane

import (
	"container/list"
	"crypto/tls"
	"net"
	"net/http"
	"sync"
	"time"

	"go.uber.org/zap"
)

const (
	// mostConnections is the most connections at a time, whatever the system allows. Each
	// takes some 70 KB of memory.
	mostConnections = 100_000
	// reservedFiles is how many files of the process are for other things than connections,
	// the store above all, which cannot write without one. It is at most a quarter of them.
	reservedFiles = 1024
	// connectionsLogInterval is the time between two log lines about too many connections.
	connectionsLogInterval = 10 * time.Second
)

// connectionsOf returns how many connections a process may have that can open so many
// files.
func connectionsOf(files uint64) int {
	const quarter = 4
	return int(min(files-min(reservedFiles, files/quarter), mostConnections))
}

// connections bounds the connections of a server. If there is one too many, the one that
// has had no request for the longest time is closed: first of those that never had one,
// then of those between two requests. If each has a request or a stream the new one is
// closed. Its methods may be called concurrently.
type connections struct {
	most int
	log  *zap.Logger

	mu       sync.Mutex
	open     map[net.Conn]*list.Element // nil for one with a request
	unused   list.List                  // those without a request so far, the oldest first
	idle     list.List                  // those between two requests, likewise
	shutting bool
	refused  int       // since the last line of the log
	told     time.Time // when that was
}

func newConnections(most int, log *zap.Logger) *connections {
	return &connections{most: most, log: log, open: map[net.Conn]*list.Element{}}
}

// connState is the ConnState function of an http.Server.
func (c *connections) connState(conn net.Conn, state http.ConnState) {
	closed := c.moved(conn, state)
	if secure, ok := closed.(*tls.Conn); ok {
		closed = secure.NetConn() // without a farewell, which can take seconds
	}
	if closed != nil {
		_ = closed.Close() // its goroutine notices
	}
}

// moved notes the state of a connection, and returns the one to close for it, if any.
func (c *connections) moved(conn net.Conn, state http.ConnState) (closed net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in := c.open[conn]; in != nil { // an element is in one of the two lists
		c.unused.Remove(in)
		c.idle.Remove(in)
	}
	switch state {
	case http.StateNew:
		if c.shutting {
			return conn
		}
		if len(c.open) >= c.most {
			closed = c.oldest()
			c.tell(closed == nil)
			if closed == nil {
				return conn
			}
			delete(c.open, closed)
		}
		c.open[conn] = c.unused.PushBack(conn)
	case http.StateIdle:
		c.open[conn] = c.idle.PushBack(conn)
	case http.StateActive:
		c.open[conn] = nil
	case http.StateHijacked, http.StateClosed:
		delete(c.open, conn)
	}
	return closed
}

// oldest removes the connection to close for another one from its list, and returns it, or
// nil if each has a request. The caller holds the lock.
func (c *connections) oldest() net.Conn {
	for _, from := range []*list.List{&c.unused, &c.idle} {
		if first := from.Front(); first != nil {
			conn, _ := from.Remove(first).(net.Conn)
			return conn
		}
	}
	return nil
}

// tell logs that there are too many connections. The caller holds the lock.
func (c *connections) tell(refused bool) {
	if refused {
		c.refused++
	}
	if now := time.Now(); now.Sub(c.told) >= connectionsLogInterval {
		c.log.Warn("too many connections: closing those without a request, and new ones if there is none; "+
			"raise the limit of open files (LimitNOFILE), or start another replica",
			zap.Int("max_connections", c.most), zap.Int("refused", c.refused))
		c.told, c.refused = now, 0
	}
}

// shutdown closes the connections without a request so far, and every new one from now
// on. Clients open some in advance, and http.Server.Shutdown would wait five seconds for
// them.
func (c *connections) shutdown() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.shutting = true
	for e := c.unused.Front(); e != nil; e = e.Next() {
		if conn, ok := e.Value.(net.Conn); ok {
			_ = conn.Close()
		}
	}
}
