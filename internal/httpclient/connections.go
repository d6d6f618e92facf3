package httpclient

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	dialTimeout = 10 * time.Second

	// A dead peer of an HTTP/1.1 connection is found by TCP keep-alive alone,
	// after keepAliveIdle + keepAliveCount * keepAliveInterval.
	keepAliveIdle     = 15 * time.Second
	keepAliveInterval = 5 * time.Second
	keepAliveCount    = 3
)

// connections dials, and keeps a list of every open connection so that close can
// close them all: net/http closes only those that are idle.
type connections struct {
	dial DialFunc

	mu     sync.Mutex
	open   map[*trackedConn]struct{}
	closed bool
}

func newConnections(dial DialFunc) *connections {
	if dial == nil {
		dialer := &net.Dialer{
			Timeout: dialTimeout,
			KeepAliveConfig: net.KeepAliveConfig{
				Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
			},
		}
		dial = dialer.DialContext
	}
	return &connections{dial: dial, open: make(map[*trackedConn]struct{})}
}

func (c *connections) dialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if c.isClosed() {
		return nil, errClosed(address)
	}
	if socket, ok := socketPath(address); ok {
		network, address = "unix", socket
	}
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tracked := &trackedConn{Conn: conn, list: c}
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

	list *connections
}

// Close implements [net.Conn].
func (c *trackedConn) Close() error {
	c.list.mu.Lock()
	delete(c.list.open, c)
	c.list.mu.Unlock()
	return c.Conn.Close() //nolint:wrapcheck // the connection's own error
}
