package transport

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// requestHeaders returns the headers to send for those that a control plane sets.
// Nil means that it sets none, and the caller keeps its own; an empty set clears.
// Names without the prefix, and values that HTTP cannot carry, are left out.
func requestHeaders(set map[string]string) http.Header {
	if set == nil {
		return nil
	}
	headers := make(http.Header, len(set))
	for name, value := range set {
		if allowedRequestHeader(name, value) {
			headers.Set(name, value)
		}
	}
	return headers
}

// firstForbidden returns the name of a header that must not be sent, if there is
// one.
func firstForbidden(headers http.Header) (string, bool) {
	for name, values := range headers {
		for _, value := range values {
			if !allowedRequestHeader(name, value) {
				return name, true
			}
		}
	}
	return "", false
}

func allowedRequestHeader(name, value string) bool {
	return strings.HasPrefix(name, wire.RequestHeaderPrefix) &&
		strings.IndexFunc(name, notInHeaderName) < 0 &&
		strings.IndexFunc(value, notInHeaderValue) < 0
}

// notInHeaderName is stricter than RFC 9110, section 5.6.2, which also allows
// punctuation that no Buildkite header has.
func notInHeaderName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}

// notInHeaderValue follows RFC 9110, section 5.5: no control characters but tab.
func notInHeaderValue(r rune) bool {
	const del = 0x7f
	return r < ' ' && r != '\t' || r == del
}

var (
	errDowngrade = errors.New("it would send the session's token unencrypted")
	// errRefreshed ends a stream that is to be opened with other headers or
	// elsewhere.
	errRefreshed = errors.New("the control plane changed the headers or the endpoint of the stream")
)

// setHeaders replaces the headers of the session by those that a response sets.
// Nil keeps them, an empty set clears them.
func (s *Session) setHeaders(set map[string]string) {
	headers := requestHeaders(set)
	if headers == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.headers = headers
}

// nextEndpoint returns the endpoint that a response names, and whether it differs from
// the one that has responded.
func nextEndpoint(current httpclient.Endpoint, named string) (httpclient.Endpoint, bool, error) {
	if named == "" {
		return httpclient.Endpoint{}, false, nil
	}
	next, err := httpclient.ParseEndpoint(named)
	if err != nil {
		return next, false, fmt.Errorf("endpoint %q %w", oneLine(named), err)
	}
	switch {
	case next.String() == current.String():
		return next, false, nil
	case next.IsSocket() && !current.IsSocket():
		return next, false, fmt.Errorf("endpoint %q: %w", next, httpclient.ErrRemoteSocket)
	case current.Secure() && !next.Secure():
		return next, false, fmt.Errorf("endpoint %q: %w", next, errDowngrade)
	default:
		return next, true, nil
	}
}

// follow switches to the endpoint that the response to a registration names, as
// existing agents do. It need not respond yet.
func (s *Session) follow(from httpclient.Endpoint, named string) {
	switch next, differs, err := nextEndpoint(from, named); {
	case err != nil:
		s.stay(err)
	case differs:
		s.moveTo(next)
	}
}

// followTested pings the endpoint that the response to a ping names and switches to it
// if that succeeds. It returns the response of the new endpoint, and whether it
// switched; if not, the next response that names the endpoint tries again.
func (s *Session) followTested(
	ctx context.Context, from httpclient.Endpoint, named string, deadline time.Time,
) (response wire.PingResponse, moved bool) {
	next, differs, err := nextEndpoint(from, named)
	if err == nil && !differs {
		return response, false
	}
	if err == nil {
		response, _, err = s.pingAt(ctx, []httpclient.Endpoint{next}, deadline)
	}
	if err != nil {
		s.stay(err)
		return response, false
	}
	s.setHeaders(response.RequestHeaders)
	s.moveTo(next)
	return response, true
}

func (s *Session) moveTo(next httpclient.Endpoint) {
	s.mu.Lock()
	s.named = &next
	s.mu.Unlock()
	s.transport.log.Info("endpoint changed by the control plane",
		zap.String("worker_id", s.id), zap.Stringer("endpoint", next))
}

// stay logs why the session does not switch to another endpoint.
func (s *Session) stay(err error) {
	s.transport.log.Warn("endpoint named by the control plane cannot be used; keeping the present one",
		zap.String("worker_id", s.id), zap.String("endpoint", s.Endpoint()), zap.Error(err))
}

// openStream is how the present connection of the stream was opened.
type openStream struct {
	endpoint httpclient.Endpoint
	headers  http.Header
	cancel   context.CancelCauseFunc
}

// beginStream returns where to open the stream, in the order in which to try it, and with
// which headers. It remembers them until endStream.
func (s *Session) beginStream(cancel context.CancelCauseFunc) ([]httpclient.Endpoint, http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	endpoints := s.endpointsLocked()
	s.stream = &openStream{endpoint: endpoints[0], headers: s.headers, cancel: cancel}
	return endpoints, s.headers
}

// streamAt notes at which of the endpoints the stream is opened.
func (s *Session) streamAt(endpoint httpclient.Endpoint) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream != nil {
		s.stream.endpoint = endpoint
	}
}

func (s *Session) endStream() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream = nil
}

// RefreshStream ends the stream if the control plane has changed the headers or
// the endpoint since it was opened; the next one is opened within a second. It
// must be called after each ping, once the ping's instruction has been posted: the
// end of the stream must not overtake it. A stream stays open when calls have moved to
// another of several endpoints.
func (s *Session) RefreshStream() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stream == nil {
		return
	}
	stays := s.named == nil || s.stream.endpoint.Origin() == s.named.Origin()
	if stays && maps.EqualFunc(s.stream.headers, s.headers, slices.Equal) {
		return
	}
	s.stream.cancel(errRefreshed)
	s.stream = nil
}
