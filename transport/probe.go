package transport

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"
)

// probeAnswer is how long a server has to answer the HTTP/2 preface. A server
// that stays silent is taken for one that does not speak HTTP/2, until the
// next stream is opened.
const probeAnswer = 2 * time.Second

// RFC 9113, sections 3.4, 4.1 and 6.5. The preface was chosen so that servers
// without HTTP/2 refuse it: asking is safe, since all they can see in it is a
// request with the method PRI, for no path, which does nothing anywhere.
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

type dialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// probe finds out whether an http server speaks HTTP/2 without TLS, on a
// connection of its own. It is unsure when the server closed the connection or
// said nothing. The error is that of connecting, or the caller's end.
func probe(ctx context.Context, dial dialFunc, address string) (http2, sure bool, err error) {
	conn, err := dial(ctx, "tcp", address)
	if err != nil {
		return false, false, err
	}
	defer func() { _ = conn.Close() }() // it was only for asking
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()

	header, err := askForSettings(conn)
	if ctx.Err() != nil {
		return false, false, fmt.Errorf("asking %s for its protocol: %w", address, context.Cause(ctx))
	}
	if err != nil {
		return false, false, nil // silence is a finding, if not a sure one
	}
	return isSettings(header), true, nil
}

func askForSettings(conn net.Conn) ([frameHeaderSize]byte, error) {
	var header [frameHeaderSize]byte
	if err := conn.SetDeadline(time.Now().Add(probeAnswer)); err != nil {
		return header, fmt.Errorf("setting a deadline: %w", err)
	}
	if _, err := io.WriteString(conn, preface+emptySettings); err != nil {
		return header, fmt.Errorf("sending the preface: %w", err)
	}
	if _, err := io.ReadFull(conn, header[:]); err != nil {
		return header, fmt.Errorf("reading the answer: %w", err)
	}
	return header, nil
}

// isSettings reports whether a server's first frame is the SETTINGS frame that
// HTTP/2 demands there.
func isSettings(header [frameHeaderSize]byte) bool {
	length := uint32(header[0])<<16 | uint32(header[1])<<8 | uint32(header[2])
	stream := binary.BigEndian.Uint32(header[5:])
	return length <= maxFrame && header[3] == frameSettings && header[4]&flagAck == 0 && stream == 0
}
