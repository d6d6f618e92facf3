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
	"sync"
	"sync/atomic"
	"syscall"
)

// Network is a network with one listener, which it is itself. Its methods may be
// called concurrently.
type Network struct {
	incoming chan net.Conn
	closed   chan struct{}
	once     sync.Once

	dials  atomic.Int64
	open   atomic.Int64
	refuse atomic.Bool
	dark   atomic.Bool
	hang   atomic.Bool
}

// New returns a network in good order.
func New() *Network {
	return &Network{incoming: make(chan net.Conn), closed: make(chan struct{})}
}

// Refuse makes the network turn new connections away, or ceases to.
func (n *Network) Refuse(refuse bool) { n.refuse.Store(refuse) }

// Hang makes new connections take for ever, or ceases to.
func (n *Network) Hang(hang bool) { n.hang.Store(hang) }

// Dark makes every byte vanish, both ways, without a word, or ceases to.
func (n *Network) Dark(dark bool) { n.dark.Store(dark) }

// Dials is how many connections were asked for; Open, how many are open.
func (n *Network) Dials() int64 { return n.dials.Load() }

// Open is how many connections are open on the dialling side.
func (n *Network) Open() int64 { return n.open.Load() }

// DialContext connects to the listener, whatever the address.
func (n *Network) DialContext(ctx context.Context, network, _ string) (net.Conn, error) {
	n.dials.Add(1)
	refused := &net.OpError{Op: "dial", Net: network, Err: syscall.ECONNREFUSED}
	if n.refuse.Load() {
		return nil, refused
	}
	if n.hang.Load() {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	client, server := net.Pipe()
	select {
	case n.incoming <- server:
		n.open.Add(1)
		return &conn{Conn: client, of: n}, nil
	case <-n.closed:
		return nil, refused
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept waits for the next connection; after Close it returns net.ErrClosed.
func (n *Network) Accept() (net.Conn, error) {
	select {
	case server := <-n.incoming:
		return server, nil
	case <-n.closed:
		return nil, net.ErrClosed
	}
}

// Close ends the listening; open connections stay.
func (n *Network) Close() error {
	n.once.Do(func() { close(n.closed) })
	return nil
}

// Addr is an address of loopback, for those who ask.
func (*Network) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80} }

// conn is the dialling side of a connection.
type conn struct {
	net.Conn

	of   *Network
	once sync.Once
}

func (c *conn) Write(b []byte) (int, error) {
	if c.of.dark.Load() {
		return len(b), nil
	}
	n, err := c.Conn.Write(b)
	if errors.Is(err, io.ErrClosedPipe) {
		err = &net.OpError{Op: "write", Net: "memory", Err: syscall.EPIPE}
	}
	return n, err //nolint:wrapcheck // a connection's errors are for net/http to judge
}

func (c *conn) Read(b []byte) (int, error) {
	for {
		n, err := c.Conn.Read(b)
		if err == nil && c.of.dark.Load() {
			continue
		}
		return n, err //nolint:wrapcheck // as above
	}
}

func (c *conn) Close() error {
	c.once.Do(func() { c.of.open.Add(-1) })
	return c.Conn.Close() //nolint:wrapcheck // as above
}
