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

// StreamProtocol is the protocol of the stream.
type StreamProtocol int

// The protocols.
const (
	// StreamAuto is gRPC until a proxy is found to drop HTTP trailers, and Connect
	// from then on.
	StreamAuto StreamProtocol = iota
	// StreamGRPC is gRPC, as existing agents use it. Its status is in trailers.
	StreamGRPC
	// StreamConnect is the Connect protocol, whose status is in the body.
	StreamConnect
)

// String returns the protocol's name.
func (p StreamProtocol) String() string {
	return [...]string{"auto", "grpc", "connect"}[p]
}

// ParseStreamProtocol returns the protocol with that name. The error lists the names.
func ParseStreamProtocol(name string) (StreamProtocol, error) {
	for _, p := range []StreamProtocol{StreamAuto, StreamGRPC, StreamConnect} {
		if p.String() == name {
			return p, nil
		}
	}
	return 0, fmt.Errorf("must be %v, %v or %v", StreamAuto, StreamGRPC, StreamConnect)
}

// clientOptions returns the options of a client for the protocol.
func (p StreamProtocol) clientOptions() []connect.ClientOption {
	options := []connect.ClientOption{connect.WithReadMaxBytes(maxStreamMessage)}
	if p == StreamGRPC {
		options = append(options, connect.WithGRPC())
	}
	return options
}

// trailerSupport is whether HTTP trailers arrive, for all streams of a Transport. It
// is safe for concurrent use.
type trailerSupport struct {
	state atomic.Int32
	log   *zap.Logger
}

// The states of trailerSupport, in the order in which they follow each other.
const (
	trailersExpected int32 = iota
	trailersDropped        // Connect is used
	connectFailed          // Connect is not served: gRPC is used again, for good
)

// protocol returns the protocol of the next stream.
func (t *trailerSupport) protocol(configured StreamProtocol) StreamProtocol {
	switch {
	case configured != StreamAuto:
		return configured
	case t.state.Load() == trailersDropped:
		return StreamConnect
	default:
		return StreamGRPC
	}
}

// observe is called with each attempt that has ended under StreamAuto.
func (t *trailerSupport) observe(a *attempt) {
	switch {
	case a.response == nil:
	case a.protocol == StreamGRPC && a.response.lacksTrailers():
		if t.state.CompareAndSwap(trailersExpected, trailersDropped) {
			t.log.Warn("a proxy drops HTTP trailers, which gRPC needs; streams use the Connect protocol from now on")
		}
	case a.protocol == StreamConnect && !a.healthy && a.response.StatusCode != http.StatusOK:
		if t.state.CompareAndSwap(trailersDropped, connectFailed) {
			t.log.Warn("streams are not served in the Connect protocol either; they use gRPC again",
				zap.String("status", a.response.Status))
		}
	}
}

// observedResponse notes whether the body of a response was read to its end.
type observedResponse struct {
	*http.Response

	ended bool
}

func observe(response *http.Response) *observedResponse {
	o := &observedResponse{Response: response}
	response.Body = &observedBody{ReadCloser: response.Body, of: o}
	return o
}

// lacksTrailers reports whether a gRPC response ended cleanly but without the status
// that every such response must have.
func (o *observedResponse) lacksTrailers() bool {
	const status = "Grpc-Status"
	return o.ended && o.StatusCode == http.StatusOK && strings.HasPrefix(o.Header.Get(headerContentType), "application/grpc") &&
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
