package httpclient

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient/pick"
)

const (
	// dialTimeout bounds looking up a name and connecting to one of its addresses.
	dialTimeout = 10 * time.Second

	// A dead peer of an HTTP/1.1 connection is found by TCP keep-alive alone,
	// after keepAliveIdle + keepAliveCount * keepAliveInterval.
	keepAliveIdle     = 15 * time.Second
	keepAliveInterval = 5 * time.Second
	keepAliveCount    = 3

	networkUnix = "unix"
	opDial      = "dial"
)

// connections dials, and keeps a list of every open connection so that close can
// close them all: net/http closes only those that are idle.
type connections struct {
	addresses *addresses

	mu     sync.Mutex
	open   map[*trackedConn]struct{}
	closed bool
}

func newConnections(options Options) *connections {
	a := &addresses{dial: options.DialContext, lookup: options.Lookup, timeout: options.DialTimeout}
	if a.timeout <= 0 {
		a.timeout = dialTimeout
	}
	if a.dial == nil {
		dialer := &net.Dialer{
			KeepAliveConfig: net.KeepAliveConfig{
				Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
			},
		}
		a.dial = dialer.DialContext
		if a.lookup == nil {
			a.lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
				return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
			}
		}
	}
	return &connections{addresses: a, open: make(map[*trackedConn]struct{})}
}

func (c *connections) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if c.isClosed() {
		return nil, errClosed(address)
	}
	if socket, ok := socketPath(address); ok {
		network, address = networkUnix, socket
	}
	conn, to, err := c.addresses.connect(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tracked := &trackedConn{Conn: conn, list: c, address: to}
	if !c.add(tracked) {
		_ = conn.Close()
		return nil, errClosed(address)
	}
	return tracked, nil
}

func errClosed(address string) error {
	return fmt.Errorf("connecting to %s: %w", address, net.ErrClosed)
}

func (c *connections) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// add reports whether the connection may stay open: false after close.
func (c *connections) add(conn *trackedConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.open[conn] = struct{}{}
	}
	return !c.closed
}

// leave sets the addresses of all open connections aside: where there are others, the
// next connections are to those.
func (c *connections) leave() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.open {
		c.addresses.note(conn.address, pick.Left)
	}
}

func (c *connections) close() {
	c.mu.Lock()
	c.closed = true
	open := c.open
	c.open = nil
	c.mu.Unlock()
	for conn := range open {
		_ = conn.Conn.Close() // nothing can be done about an error
	}
}

// trackedConn removes itself from the list when it is closed.
type trackedConn struct {
	net.Conn

	list    *connections
	address string // that was dialed, one of those of its host
}

// trackedOf returns the connection below TLS, or nil.
func trackedOf(conn net.Conn) *trackedConn {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	tracked, _ := conn.(*trackedConn)
	return tracked
}

// failed sets the connection's address aside: a request over it had no response.
func (c *trackedConn) failed() { c.list.addresses.note(c.address, pick.Failed) }

// Close implements [net.Conn].
func (c *trackedConn) Close() error {
	c.list.mu.Lock()
	delete(c.list.open, c)
	c.list.mu.Unlock()
	return c.Conn.Close() //nolint:wrapcheck // the connection's own error
}
