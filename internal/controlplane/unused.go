package controlplane

import (
	"net"
	"net/http"
	"sync"
)

// unusedConns are the connections that have brought no request yet. Clients open
// some ahead of need, and http.Server.Shutdown would wait five seconds for each.
type unusedConns struct {
	mu    sync.Mutex
	conns map[net.Conn]struct{} // nil once they were closed
}

func newUnusedConns() *unusedConns {
	return &unusedConns{conns: make(map[net.Conn]struct{})}
}

// note is an http.Server's ConnState.
func (u *unusedConns) note(conn net.Conn, state http.ConnState) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if state != http.StateNew {
		delete(u.conns, conn)
		return
	}
	if u.conns == nil {
		_ = conn.Close() // the server is leaving
		return
	}
	u.conns[conn] = struct{}{}
}

// close closes them, and every later one.
func (u *unusedConns) close() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for conn := range u.conns {
		_ = conn.Close() // nothing was asked over it
	}
	u.conns = nil
}
