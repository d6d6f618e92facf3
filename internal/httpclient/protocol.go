package httpclient

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// protocol is what is known about the protocol of an http server.
type protocol struct {
	http2   bool // it speaks HTTP/2 without TLS
	certain bool // it gave a clear response; false means silence or a closed connection
	foundAt time.Time
}

// protocolCache remembers which http servers speak HTTP/2 without TLS. The first
// request to a server asks; concurrent requests wait for the result.
type protocolCache struct {
	ask func(ctx context.Context, address string) (http2, certain bool, err error)

	mu     sync.Mutex
	known  map[string]protocol
	asking map[string]chan struct{} // closed when asking has ended
}

func newProtocolCache(dial DialFunc) *protocolCache {
	return &protocolCache{
		ask: func(ctx context.Context, address string) (bool, bool, error) {
			return askForHTTP2(ctx, dial, address)
		},
		known:  make(map[string]protocol),
		asking: make(map[string]chan struct{}),
	}
}

// of returns the protocol of the server at an address (host:port). It returns the
// error of connecting, or the cause of the context's end.
func (c *protocolCache) of(ctx context.Context, address string) (protocol, error) {
	for {
		c.mu.Lock()
		if found, ok := c.known[address]; ok {
			c.mu.Unlock()
			return found, nil
		}
		asking, busy := c.asking[address]
		if !busy {
			c.asking[address] = make(chan struct{})
			c.mu.Unlock()
			return c.find(ctx, address)
		}
		c.mu.Unlock()
		select {
		case <-asking:
			// If the other request found nothing, this one asks for itself: one
			// caller's cancellation must not fail the others.
		case <-ctx.Done():
			return protocol{}, context.Cause(ctx)
		}
	}
}

func (c *protocolCache) find(ctx context.Context, address string) (protocol, error) {
	http2, certain, err := c.ask(ctx, address)

	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.asking[address])
	delete(c.asking, address)
	if err != nil {
		return protocol{}, err
	}
	found := protocol{http2: http2, certain: certain, foundAt: time.Now()}
	c.known[address] = found
	return found, nil
}

// forget removes a result that was found at the given time or before. A newer one
// stays: when many streams are lost together, one of them asks for all.
func (c *protocolCache) forget(address string, usedAt time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if found, ok := c.known[address]; ok && !found.foundAt.After(usedAt) {
		delete(c.known, address)
	}
}

// forgetUncertain removes results that are not certain.
func (c *protocolCache) forgetUncertain() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for address, found := range c.known {
		if !found.certain {
			delete(c.known, address)
		}
	}
}

// settingsTimeout is how long a server may take to respond to the HTTP/2 preface.
// A server that stays silent is treated as one that does not speak HTTP/2.
const settingsTimeout = 2 * time.Second

// RFC 9113, sections 3.4, 4.1 and 6.5. Servers without HTTP/2 refuse the preface:
// for them it is a request with the method PRI and no path, which has no effect.
const (
	preface         = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	emptySettings   = "\x00\x00\x00\x04\x00\x00\x00\x00\x00"
	frameHeaderSize = 9
	frameSettings   = 4
	flagAck         = 1
	// maxFrame is the largest frame that a peer may send before settings are
	// agreed on.
	maxFrame = 16 << 10
)

// askForHTTP2 reports whether an http server speaks HTTP/2 without TLS, by a
// connection of its own. The result is not certain when the server closed the
// connection or stayed silent. The error is that of connecting, or the cause of
// the context's end.
func askForHTTP2(ctx context.Context, dial DialFunc, address string) (http2, certain bool, err error) {
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return false, false, err
	}
	defer func() { _ = conn.Close() }() // nothing else uses it
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()

	header, err := exchangeSettings(conn)
	if ctx.Err() != nil {
		return false, false, fmt.Errorf("asking %s for HTTP/2: %w", address, context.Cause(ctx))
	}
	if err != nil {
		if tracked := trackedOf(conn); tracked != nil {
			tracked.failed() // another address may respond
		}
		return false, false, nil
	}
	return isSettings(header), true, nil
}

// exchangeSettings sends the preface and returns the header of the first frame
// that the server sends.
func exchangeSettings(conn net.Conn) ([frameHeaderSize]byte, error) {
	var header [frameHeaderSize]byte
	if err := conn.SetDeadline(time.Now().Add(settingsTimeout)); err != nil {
		return header, fmt.Errorf("setting a deadline: %w", err)
	}
	if _, err := io.WriteString(conn, preface+emptySettings); err != nil {
		return header, fmt.Errorf("sending the preface: %w", err)
	}
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return header, fmt.Errorf("reading the first frame: %w", err)
	}
	return header, nil
}

// isSettings reports whether a frame header is that of a SETTINGS frame, which
// HTTP/2 requires first.
func isSettings(header [frameHeaderSize]byte) bool {
	length := uint32(header[0])<<16 | uint32(header[1])<<8 | uint32(header[2])
	stream := binary.BigEndian.Uint32(header[5:])
	return length <= maxFrame && header[3] == frameSettings && header[4]&flagAck == 0 && stream == 0
}
