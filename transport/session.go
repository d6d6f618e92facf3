package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Session is one registered worker: its id, its token, where its control
// plane is and which headers that asked for. Its methods may be called
// concurrently, except [Session.RunStream], of which one runs at a time.
type Session struct {
	transport    *Transport
	id           string
	token        string
	pingInterval time.Duration
	pacer        *Pacer
	epoch        atomic.Uint64 // of the last connection attempt of the stream
	holdOffs     holdOffs

	mu       sync.Mutex
	endpoint endpoint
	headers  http.Header // replaced as a whole, never changed in place
	opened   *opened     // the stream in progress, if any
}

// ID is the id that the control plane gave the worker.
func (s *Session) ID() string { return s.id }

// Token is the worker's token. Whoever asks wants to keep it out of a log.
func (s *Session) Token() string { return s.token }

// PingInterval is how long the control plane wants between two pings; at
// least a second.
func (s *Session) PingInterval() time.Duration { return s.pingInterval }

// Pacer decides when the stream reconnects. Whoever pings feeds it what the
// pings show.
func (s *Session) Pacer() *Pacer { return s.pacer }

// Endpoint is the base URL in use. An answer to a ping may change it.
func (s *Session) Endpoint() string {
	base, _ := s.where()
	return base.String()
}

// RequestHeaders is a copy of the headers that the control plane asked to be
// sent along. An answer to a ping may change them.
func (s *Session) RequestHeaders() http.Header {
	_, headers := s.where()
	return headers.Clone()
}

// Connect tells the control plane that the worker is there. Whatever the
// error, it is tried up to ten times, about five seconds apart.
func (s *Session) Connect(ctx context.Context) error {
	return s.retryPlain(ctx, connectRule(), call{
		doing: "connecting worker " + s.id, method: http.MethodPost, path: []string{"connect"},
	})
}

// Disconnect tells the control plane that the worker is gone. Whatever the
// error, it is tried up to four times, a second apart.
func (s *Session) Disconnect(ctx context.Context) error {
	return s.retryPlain(ctx, disconnectRule(), call{
		doing: "disconnecting worker " + s.id, method: http.MethodPost, path: []string{"disconnect"},
	})
}

// Heartbeat tells the control plane that the worker is alive. It is tried up
// to ten times, five seconds apart, while the error is [Retryable]. After one
// that is [Refused] the control plane no longer knows the session.
func (s *Session) Heartbeat(ctx context.Context) error {
	_, err := retry(ctx, s.transport.log, heartbeatRule(), func(int) (struct{}, error) {
		const doing = "sending a heartbeat"
		// RFC 3339 with nanoseconds, in the zone of the machine.
		body, err := json.Marshal(map[string]string{"sent_at": time.Now().Format(time.RFC3339Nano)})
		if err != nil {
			return struct{}{}, fmt.Errorf("%s: %w", doing, err)
		}
		var answer struct{} // of times that nobody reads; but an answer there must be
		return struct{}{}, s.try(ctx, call{
			doing: doing, method: http.MethodPost, path: []string{"heartbeat"},
			body: body, bodyType: contentTypeJSON, into: &answer,
		})
	})
	return err
}

// try makes one call as this worker, once the control plane wants it.
func (s *Session) try(ctx context.Context, c call) error {
	if c.token == "" {
		c.token = s.token
	}
	if c.timeout == 0 {
		c.timeout = callTimeout
	}
	leave, err := s.holdOffs.enter(ctx, c.kind())
	if err != nil {
		return fmt.Errorf("%s: %w", c.doing, &failure{kind: callerEnded, err: err})
	}
	base, headers := s.where() // as it is by now
	err = s.transport.try(ctx, base, headers, c)
	leave(RetryAfter(err))
	return err
}

// retryPlain makes a call of which only the success matters.
func (s *Session) retryPlain(ctx context.Context, by rule, c call) error {
	_, err := retry(ctx, s.transport.log, by, func(int) (struct{}, error) {
		return struct{}{}, s.try(ctx, c)
	})
	return err
}

// where is the endpoint in use and the headers to send there.
func (s *Session) where() (endpoint, http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endpoint, s.headers
}

// setHeaders takes over the headers that an answer asks for: none asked for
// keeps what is in use, an empty set clears it.
func (s *Session) setHeaders(asked map[string]string) {
	headers := requestHeaders(asked)
	if headers == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.headers = headers
}

var (
	errDowngrade   = errors.New("it would send the session's token unencrypted")
	errLocalSocket = errors.New("only a control plane on a socket may name another socket of this machine")
)

// nextEndpoint is the endpoint that an answer names, or nil if it names none
// or the one in use.
func (s *Session) nextEndpoint(named string) (*endpoint, error) {
	if named == "" {
		return nil, nil //nolint:nilnil // most answers name none
	}
	next, err := parseEndpoint(named)
	if err != nil {
		return nil, fmt.Errorf("endpoint %q: %w", oneLine(named), err)
	}
	current, _ := s.where()
	switch {
	case next.String() == current.String():
		return nil, nil //nolint:nilnil // it is in use already
	case next.socket != "" && current.socket == "":
		return nil, fmt.Errorf("endpoint %q: %w", next, errLocalSocket)
	case current.secure() && !next.secure():
		return nil, fmt.Errorf("endpoint %q: %w", next, errDowngrade)
	default:
		return &next, nil
	}
}
