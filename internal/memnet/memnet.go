// Package memnet is a network in memory, with one listener that every dialed
// address leads to. Its connections block in a way that testing/synctest
// recognizes, so that tests of the protocol can run in virtual time. Its fields
// inject the faults of real networks.
package memnet

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Network is a network with one listener: it implements net.Listener. Its fields
// set the faults. Fields and methods may be used concurrently.
type Network struct {
	// Refuse refuses new connections.
	Refuse atomic.Bool
	// Hang makes connecting block until its context ends.
	Hang atomic.Bool
	// Dark loses every byte in both directions, without an error. A connection that
	// has lost bytes stays dark after that, since TCP never delivers data behind a
	// gap.
	Dark atomic.Bool
	// Mute is the number of new connections that nobody accepts.
	Mute atomic.Int64
	// Expire makes failing reads fail with os.ErrDeadlineExceeded.
	Expire atomic.Bool

	// Dials counts the attempts to connect.
	Dials atomic.Int64
	// Open counts the connections that are open on the dialing side.
	Open atomic.Int64

	incoming chan net.Conn

	mu      sync.Mutex
	closed  chan struct{} // closed with the listener
	servers []net.Conn    // the accepting sides of all connections
}

// New returns a network without faults.
func New() *Network {
	return &Network{incoming: make(chan net.Conn), closed: make(chan struct{})}
}

// DialContext connects to the listener, whatever the address.
func (n *Network) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	n.Dials.Add(1)
	if n.Refuse.Load() {
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	}
	if n.Hang.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	client, server := pipe()
	if n.Mute.Add(-1) >= 0 {
		n.Open.Add(1)
		return &conn{Conn: client, of: n}, nil
	}
	select {
	case n.incoming <- server:
		n.mu.Lock()
		defer n.mu.Unlock()
		n.servers = append(n.servers, server)
		n.Open.Add(1)
		return &conn{Conn: client, of: n}, nil
	case <-n.listening():
		return nil, &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next connection; after Close it returns net.ErrClosed.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case server := <-n.incoming:
		return server, nil
	case <-n.listening():
		return nil, net.ErrClosed
	}
}

// Close closes the listener. Open connections stay open.
func (n *Network) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	select {
	case <-n.closed:
	default:
		close(n.closed)
	}
	return nil
}

// listening returns a channel that is closed with the listener.
func (n *Network) listening() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.closed
}

// Cut closes all connections.
func (n *Network) Cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, server := range n.servers {
		_ = server.Close()
	}
	n.servers = nil
}

// Reopen opens the listener again after Close.
func (n *Network) Reopen() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = make(chan struct{})
}

// Addr implements [net.Listener].
func (*Network) Addr() net.Addr { return address() }

func address() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// conn is the dialing side of a connection.
type conn struct {
	net.Conn

	of   *Network
	once sync.Once
	gap  atomic.Bool // bytes were lost
}

// lost reports whether bytes that are read or written now are lost.
func (c *conn) lost() bool {
	if c.of.Dark.Load() {
		c.gap.Store(true)
	}
	return c.gap.Load()
}

func (c *conn) Write(b []byte) (int, error) {
	if c.lost() {
		return len(b), nil
	}
	n, err := c.Conn.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = &net.OpError{Op: "write", Net: "memory", Err: syscall.EPIPE}
	}
	return n, err
}

func (c *conn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err == nil && c.lost() {
			continue
		}
		if err != nil && c.of.Expire.Load() {
			err = &net.OpError{Op: "read", Net: "memory", Err: os.ErrDeadlineExceeded}
		}
		return n, err
	}
}

func (c *conn) Close() error {
	c.once.Do(func() { c.of.Open.Add(-1) })
	return c.Conn.Close()
}
