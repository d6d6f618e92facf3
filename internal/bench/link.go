package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
)

// link forwards connections, and can freeze or cut them. Its methods may be called
// concurrently.
type link struct {
	listener net.Listener
	target   string
	ended    chan struct{}

	mu    sync.Mutex
	down  bool
	pairs map[*pair]struct{}
	busy  sync.WaitGroup
}

// pair is one forwarded connection.
type pair struct {
	near, far net.Conn
	frozen    bool // under the link's lock
}

// bufferSize is the size of one read, in bytes.
const bufferSize = 32 << 10

// newLink forwards connections from a free port of 127.0.0.1 to an address. With a
// TLS configuration it terminates TLS.
func newLink(ctx context.Context, target string, secure *tls.Config) (*link, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("link: %w", err)
	}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	l := &link{listener: listener, target: target, ended: make(chan struct{}), pairs: map[*pair]struct{}{}}
	go l.serve()
	return l, nil
}

func (l *link) url() string { return "https://" + l.listener.Addr().String() }

func (l *link) serve() {
	defer close(l.ended)
	for {
		near, err := l.listener.Accept()
		if err != nil {
			return // closed
		}
		l.busy.Go(func() { l.forward(near) })
	}
}

func (l *link) forward(near net.Conn) {
	defer func() { _ = near.Close() }()
	var dialer net.Dialer
	far, err := dialer.DialContext(context.Background(), "tcp", l.target)
	if err != nil {
		return
	}
	defer func() { _ = far.Close() }()
	p := &pair{near: near, far: far}
	if !l.add(p) {
		return
	}
	defer l.remove(p)
	var back sync.WaitGroup
	back.Go(func() { l.pump(p, far, near) })
	l.pump(p, near, far)
	back.Wait()
}

// pump copies bytes in one direction until either end closes. Bytes of a frozen
// pair are discarded, and the end of one side is not passed to the other.
func (l *link) pump(p *pair, from, to net.Conn) {
	buffer := make([]byte, bufferSize)
	for {
		n, err := from.Read(buffer)
		if l.frozen(p) {
			if err != nil {
				return
			}
			continue
		}
		if n > 0 {
			if _, failed := to.Write(buffer[:n]); failed != nil {
				err = errors.Join(err, failed)
			}
		}
		if err != nil {
			_ = p.near.Close() // ends the other pump, too
			_ = p.far.Close()
			return
		}
	}
}

func (l *link) add(p *pair) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.down {
		l.pairs[p] = struct{}{}
	}
	return !l.down
}

func (l *link) remove(p *pair) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.pairs, p)
}

func (l *link) frozen(p *pair) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return p.frozen
}

// freeze stops every open connection from forwarding, without closing it, as a
// firewall does that lost its state. New connections work.
func (l *link) freeze() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p := range l.pairs {
		p.frozen = true
	}
}

// cut closes every connection, and each new one at once, until heal is called.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for p := range l.pairs {
		_ = p.near.Close()
		_ = p.far.Close()
	}
}

func (l *link) heal() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// close closes the listener and every connection, and waits for their goroutines.
func (l *link) close() error {
	err := l.listener.Close()
	l.cut()
	<-l.ended
	l.busy.Wait()
	if err != nil {
		return fmt.Errorf("closing a link: %w", err)
	}
	return nil
}
