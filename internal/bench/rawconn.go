package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

const (
	// rawWindow is what a peer may send before it waits, of a stream and of a
	// connection. It is more than a stream receives, so that only the window of a
	// connection is renewed.
	rawWindow = 1 << 30
	// rawBuffer is the size of the buffers of a connection, in bytes.
	rawBuffer = 4 << 10
	// rawHeaderBytes bounds the headers of a response.
	rawHeaderBytes = 64 << 10
)

// errConnClosed ends what is under way on a connection that has ended.
var errConnClosed = errors.New("the connection was closed")

// rawConn is a connection of HTTP/2 without TLS, for clients with thousands of streams: it
// has one goroutine, and no window, buffer or goroutine of a stream. Requests that are made
// at the same time are sent together. Its methods may be called concurrently.
type rawConn struct {
	conn   net.Conn
	closed chan struct{}

	senders  atomic.Int32 // how many goroutines write, or wait for their turn
	received int          // since the window was renewed; the goroutine of the connection has it

	write   sync.Mutex // for what follows, and for the order of streams
	buffer  *bufio.Writer
	framer  *http2.Framer
	headers bytes.Buffer
	encoder *hpack.Encoder
	nextID  uint32

	mu      sync.Mutex
	ended   bool
	streams map[uint32]*rawStream
}

// rawStream is a request and its response. Its functions are called by the goroutine of
// the connection and must not block.
type rawStream struct {
	status int
	grpc   string // the status of gRPC, empty before the end
	// retryAfter is what the response asks for.
	retryAfter time.Duration
	// data receives the bytes of the body, which are valid until it returns.
	data func([]byte)
	// done is called once, at the end of the response, or with the error that ended it.
	done func(error)
}

// note notes the headers, or the trailers, of a response.
func (s *rawStream) note(f *http2.MetaHeadersFrame) {
	if s.status == 0 {
		s.status, _ = strconv.Atoi(f.PseudoValue("status"))
	}
	for _, h := range f.RegularFields() {
		switch h.Name {
		case "grpc-status":
			s.grpc = h.Value
		case "retry-after":
			seconds, _ := strconv.Atoi(h.Value)
			s.retryAfter = time.Duration(seconds) * time.Second
		}
	}
}

// dialRaw opens a connection.
func dialRaw(ctx context.Context, address string) (*rawConn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w", err)
	}
	c := &rawConn{
		conn: conn, closed: make(chan struct{}), buffer: bufio.NewWriterSize(conn, rawBuffer), nextID: 1,
		streams: map[uint32]*rawStream{},
	}
	c.framer = http2.NewFramer(c.buffer, bufio.NewReaderSize(conn, rawBuffer))
	c.framer.SetReuseFrames()
	c.framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	c.framer.MaxHeaderListSize = rawHeaderBytes
	c.encoder = hpack.NewEncoder(&c.headers)
	err = c.writing(c.begin)
	if err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("connecting: %w", err)
	}
	go c.read()
	return c, nil
}

// begin writes what comes before the first request.
func (c *rawConn) begin() error {
	_, err := c.buffer.WriteString(http2.ClientPreface)
	if err == nil {
		err = c.framer.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: rawWindow})
	}
	if err == nil {
		err = c.framer.WriteWindowUpdate(0, rawWindow)
	}
	return err //nolint:wrapcheck // the caller says what was attempted
}

// close closes the connection and waits for its goroutine.
func (c *rawConn) close() {
	_ = c.conn.Close()
	<-c.closed
}

// request is a request of a rawConn. A nil body is none.
type request struct {
	method, path string
	token        string // of the header Authorization, with its scheme
	contentType  string
	body         []byte
}

// open sends a request. The stream's done is called when the response ends, and if the
// request cannot be sent.
func (c *rawConn) open(r request, s *rawStream) {
	if err := c.send(r, s); err != nil {
		_ = c.conn.Close()
	}
}

func (c *rawConn) send(r request, s *rawStream) error {
	return c.writing(func() error { return c.writeRequest(r, s) })
}

// writing calls write, which writes frames, in its turn. The last one who has waited for a
// turn sends what all have written.
func (c *rawConn) writing(write func() error) error {
	c.senders.Add(1)
	c.write.Lock()
	defer c.write.Unlock()
	err := write()
	if c.senders.Add(-1) == 0 {
		err = errors.Join(err, c.buffer.Flush())
	}
	return err
}

func (c *rawConn) writeRequest(r request, s *rawStream) error {
	id := c.nextID
	if !c.add(id, s) {
		s.done(errConnClosed)
		return errConnClosed
	}
	c.nextID += 2
	c.headers.Reset()
	fields := []hpack.HeaderField{
		{Name: ":method", Value: r.method},
		{Name: ":scheme", Value: "http"},
		{Name: ":authority", Value: c.conn.RemoteAddr().String()},
		{Name: ":path", Value: r.path},
		{Name: "authorization", Value: r.token, Sensitive: true},
		{Name: "content-type", Value: r.contentType},
		{Name: "te", Value: "trailers"},
		{Name: "user-agent", Value: "switchyard-bench"},
	}
	if r.body != nil {
		fields = append(fields, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(r.body))})
	}
	for _, f := range fields {
		if err := c.encoder.WriteField(f); err != nil {
			return fmt.Errorf("encoding a header: %w", err)
		}
	}
	err := c.framer.WriteHeaders(http2.HeadersFrameParam{
		StreamID: id, BlockFragment: c.headers.Bytes(), EndHeaders: true, EndStream: r.body == nil,
	})
	if err == nil && r.body != nil {
		err = c.framer.WriteData(id, true, r.body)
	}
	if err != nil {
		return fmt.Errorf("sending a request: %w", err)
	}
	return nil
}

// add adds a stream. It reports false if the connection has ended.
func (c *rawConn) add(id uint32, s *rawStream) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.ended {
		c.streams[id] = s
	}
	return !c.ended
}

// call sends a request and returns its stream at its end, and the body of the response. If
// ctx ends first, it closes the connection.
func (c *rawConn) call(ctx context.Context, r request) (s *rawStream, response []byte, err error) {
	ended := make(chan error, 1)
	s = &rawStream{data: func(p []byte) { response = append(response, p...) }, done: func(err error) { ended <- err }}
	c.open(r, s)
	select {
	case err := <-ended:
		return s, response, err
	case <-ctx.Done():
		c.close() // its goroutine uses the stream
		return nil, nil, context.Cause(ctx)
	}
}

// read handles frames until the connection ends.
func (c *rawConn) read() {
	defer close(c.closed)
	err := c.readFrames()
	_ = c.conn.Close()
	c.mu.Lock()
	c.ended = true
	left := c.streams
	c.streams = nil
	c.mu.Unlock()
	for _, s := range left {
		s.done(err)
	}
}

func (c *rawConn) readFrames() error {
	for {
		frame, err := c.framer.ReadFrame()
		if err != nil {
			return errors.Join(errConnClosed, err)
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if s := c.stream(f.StreamID); s != nil {
				s.note(f)
			}
			c.endIf(f.StreamEnded(), f.StreamID, nil)
		case *http2.DataFrame:
			if s := c.stream(f.StreamID); s != nil {
				s.data(f.Data())
			}
			c.endIf(f.StreamEnded(), f.StreamID, nil)
			err = c.renewWindow(int(f.Length))
		case *http2.RSTStreamFrame:
			c.endIf(true, f.StreamID, http2.StreamError{StreamID: f.StreamID, Code: f.ErrCode})
		case *http2.SettingsFrame:
			err = c.respond(!f.IsAck(), c.framer.WriteSettingsAck)
		case *http2.PingFrame:
			err = c.respond(!f.IsAck(), func() error { return c.framer.WritePing(true, f.Data) })
		}
		if err != nil {
			return errors.Join(errConnClosed, err)
		}
	}
}

// renewWindow lets the peer go on after it has sent so many more bytes.
func (c *rawConn) renewWindow(received int) error {
	c.received += received
	renewed := uint32(c.received)
	return c.respond(c.received > rawWindow/2, func() error {
		c.received = 0
		return c.framer.WriteWindowUpdate(0, renewed)
	})
}

// respond writes the response to a frame that needs one.
func (c *rawConn) respond(needed bool, write func() error) error {
	if !needed {
		return nil
	}
	return c.writing(write)
}

func (c *rawConn) stream(id uint32) *rawStream {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.streams[id]
}

// endIf ends a stream, if ended is set.
func (c *rawConn) endIf(ended bool, id uint32, err error) {
	if !ended {
		return
	}
	c.mu.Lock()
	s := c.streams[id]
	delete(c.streams, id)
	c.mu.Unlock()
	if s != nil {
		s.done(err)
	}
}
