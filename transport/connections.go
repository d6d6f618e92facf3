package transport

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	dialTimeout = 10 * time.Second

	// A dead peer of an HTTP/1.1 connection is noticed by TCP keep-alive alone,
	// after keepAliveIdle + keepAliveCount * keepAliveInterval.
	keepAliveIdle     = 15 * time.Second
	keepAliveInterval = 5 * time.Second
	keepAliveCount    = 3
)

// connections knows every open connection, so that Close can leave none
// behind: net/http closes only those that are idle.
type connections struct {
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	mu     sync.Mutex
	open   map[*trackedConn]struct{}
	closed bool
}

func newConnections(dial func(ctx context.Context, network, address string) (net.Conn, error)) *connections {
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
		return nil, fmt.Errorf("connecting to %s: transport: %w", address, net.ErrClosed)
	}
	if socket, ok := socketOf(address); ok {
		network, address = "unix", socket
	}
	conn, err := c.dial(ctx, network, address)
	if err != nil {
		return nil, err
	}
	tracked := &trackedConn{Conn: conn, in: c}
	if !c.add(tracked) {
		_ = conn.Close()
		return nil, fmt.Errorf("connecting to %s: transport: %w", address, net.ErrClosed)
	}
	return tracked, nil
}

func (c *connections) isClosed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

func (c *connections) add(conn *trackedConn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.open[conn] = struct{}{}
	}
	return !c.closed
}

func (c *connections) remove(conn *trackedConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, conn)
}

func (c *connections) close() {
	c.mu.Lock()
	c.closed = true
	open := c.open
	c.open = nil
	c.mu.Unlock()
	for conn := range open {
		_ = conn.Conn.Close() // nobody is left to tell
	}
}

// trackedConn is a connection that takes itself off the list when it closes.
type trackedConn struct {
	net.Conn

	in *connections
}

// Close implements [net.Conn].
func (c *trackedConn) Close() error {
	c.in.remove(c)
	return c.Conn.Close() //nolint:wrapcheck // a connection's own error
}
