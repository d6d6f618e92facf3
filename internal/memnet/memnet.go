// Package memnet is a network in memory: one listener, to which every dialled
// address leads. Its connections block in a way that testing/synctest
// understands, so that tests of the wire can run on virtual time, and it can be
// made to fail as networks do.
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

// Network is a network with one listener, which it is itself. Its fields set
// the faults. All of it may be used concurrently.
type Network struct {
	// Refuse turns new connections away.
	Refuse atomic.Bool
	// Hang makes connecting take for ever.
	Hang atomic.Bool
	// Dark makes every byte vanish, both ways, without a word. A connection that
	// has lost some stays dark when there is light again, since TCP never goes on
	// behind a gap.
	Dark atomic.Bool
	// Mute is how many of the next connections are accepted by nobody.
	Mute atomic.Int64
	// Expire ends reads with a deadline that nobody set.
	Expire atomic.Bool

	// Dials counts the connections that were asked for.
	Dials atomic.Int64
	// Open counts the connections that are open on the dialling side.
	Open atomic.Int64

	incoming chan net.Conn

	mu      sync.Mutex
	closed  chan struct{} // the listener's
	servers []net.Conn    // the other sides of all connections
}

// New returns a network in good order.
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

// Close ends the listening; open connections stay.
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

// listening is closed when the listener is.
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

// Reopen lets another server listen.
func (n *Network) Reopen() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = make(chan struct{})
}

// Addr is an address of loopback, for those who ask.
func (*Network) Addr() net.Addr { return address() }

func address() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// conn is the dialling side of a connection.
type conn struct {
	net.Conn

	of   *Network
	once sync.Once
	gap  atomic.Bool // bytes have vanished
}

// vanish tells whether bytes that pass now are lost.
func (c *conn) vanish() bool {
	if c.of.Dark.Load() {
		c.gap.Store(true)
	}
	return c.gap.Load()
}

func (c *conn) Write(b []byte) (int, error) {
	if c.vanish() {
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
		if err == nil && c.vanish() {
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
