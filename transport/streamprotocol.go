package transport

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"

	"connectrpc.com/connect"
	"go.uber.org/zap"
)

// StreamProtocol is the protocol in which the stream is asked for.
type StreamProtocol int

// The protocols.
const (
	// StreamAuto is gRPC until it is seen that something on the way drops HTTP
	// trailers, and Connect from then on.
	StreamAuto StreamProtocol = iota
	// StreamGRPC is gRPC, as existing agents speak it. Its ends are in trailers.
	StreamGRPC
	// StreamConnect is the Connect protocol, whose ends are in the body.
	StreamConnect
)

// String is the protocol's name.
func (p StreamProtocol) String() string {
	switch p {
	case StreamAuto:
		return "auto"
	case StreamGRPC:
		return "grpc"
	case StreamConnect:
		return "connect"
	default:
		return "unknown"
	}
}

// ParseStreamProtocol reads a protocol's name. The error names those that there are.
func ParseStreamProtocol(name string) (StreamProtocol, error) {
	for _, p := range []StreamProtocol{StreamAuto, StreamGRPC, StreamConnect} {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("unknown stream protocol %q; there are %v, %v, %v", name, StreamAuto, StreamGRPC, StreamConnect)
}

// trailers is what is known of whether trailers arrive, for all streams of a
// Transport. Its zero value is that nothing speaks against it.
type trailers struct {
	state atomic.Int32
	log   *zap.Logger
}

const (
	trailersExpected int32 = iota
	trailersDropped        // so Connect is used
	connectFailed          // Connect is not served: back to gRPC, for good
)

// protocol is the one for the next stream.
func (t *trailers) protocol(wanted StreamProtocol) StreamProtocol {
	switch {
	case wanted != StreamAuto:
		return wanted
	case t.state.Load() == trailersDropped:
		return StreamConnect
	default:
		return StreamGRPC
	}
}

// learn draws the conclusion from the end of a stream that was free to choose.
func (t *trailers) learn(used StreamProtocol, spoken bool, response *observedResponse) {
	switch {
	case response == nil:
	case used == StreamGRPC && response.lacksTrailers():
		if t.state.CompareAndSwap(trailersExpected, trailersDropped) {
			t.log.Warn("something between here and the control plane drops HTTP trailers, which gRPC needs; " +
				"streams use the Connect protocol from now on")
		}
	case used == StreamConnect && !spoken && response.StatusCode != http.StatusOK:
		if t.state.CompareAndSwap(trailersDropped, connectFailed) {
			t.log.Warn("streams in the Connect protocol are not served either; they use gRPC again",
				zap.String("status", response.Status))
		}
	}
}

// clientOptions are those of the stream's client in a protocol.
func (p StreamProtocol) clientOptions() []connect.ClientOption {
	options := []connect.ClientOption{connect.WithReadMaxBytes(maxStreamMessage)}
	if p == StreamGRPC {
		options = append(options, connect.WithGRPC())
	}
	return options
}

// observedResponse is a response of which it is known whether its body came to
// its end.
type observedResponse struct {
	*http.Response

	ended bool
}

func observed(response *http.Response) *observedResponse {
	o := &observedResponse{Response: response}
	response.Body = &observedBody{ReadCloser: response.Body, of: o}
	return o
}

// lacksTrailers tells whether a gRPC response came to its end in good order, and
// yet without the status that every such response must have.
func (o *observedResponse) lacksTrailers() bool {
	const status = "Grpc-Status"
	return o.ended && o.StatusCode == http.StatusOK && strings.HasPrefix(o.Header.Get("Content-Type"), "application/grpc") &&
		o.Trailer.Get(status) == "" && o.Header.Get(status) == ""
}

type observedBody struct {
	io.ReadCloser

	of *observedResponse
}

// Read implements [io.Reader].
func (b *observedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		b.of.ended = true
	}
	return n, err //nolint:wrapcheck // the body's own
}
