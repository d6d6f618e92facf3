package transport

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Session is one registered worker: its ID and token, the endpoint of its control
// plane, and the headers that the control plane set. It is safe for concurrent use,
// except that at most one [Session.RunStream] runs at a time.
type Session struct {
	transport *Transport
	group     *group
	id        string
	token     string

	pingInterval, heartbeatInterval, jobStatusInterval time.Duration

	pacer    *pacer
	epoch    atomic.Uint64 // of the last connection attempt of the stream
	holdOffs holdOffs

	mu sync.Mutex
	// named is the endpoint that the control plane has named; nil means those of the
	// group.
	named   *httpclient.Endpoint
	headers http.Header // replaced as a whole, never changed in place
	stream  *openStream // the connection of the stream, if there is one
}

// ID returns the ID that the control plane assigned to the worker.
func (s *Session) ID() string { return s.id }

// Token returns the worker's token. It is a secret.
func (s *Session) Token() string { return s.token }

// PingInterval returns the time between two pings; at least a second.
func (s *Session) PingInterval() time.Duration { return s.pingInterval }

// HeartbeatInterval returns the time between two heartbeats; at least a second.
func (s *Session) HeartbeatInterval() time.Duration { return s.heartbeatInterval }

// JobStatusInterval returns the time between two requests for the state of a
// running job; at least a second.
func (s *Session) JobStatusInterval() time.Duration { return s.jobStatusInterval }

// Endpoint returns the base URL in use. It changes when one of several endpoints fails,
// and the response to a ping may change it.
func (s *Session) Endpoint() string {
	endpoints, _ := s.targets()
	return endpoints[0].String()
}

// RequestHeaders returns a copy of the headers that the control plane set. The
// response to a ping may change them.
func (s *Session) RequestHeaders() http.Header {
	_, headers := s.targets()
	return headers.Clone()
}

// Connect reports the worker as present. It is tried up to ten times, about five
// seconds apart, whatever the error is.
func (s *Session) Connect(ctx context.Context) error {
	return s.send(ctx, connectRule(), call{
		doing: "connecting worker " + s.id, method: http.MethodPost, path: []string{wire.PathConnect},
	})
}

// Disconnect reports the worker as gone. It is tried up to four times, a second
// apart, whatever the error is.
func (s *Session) Disconnect(ctx context.Context) error {
	return s.send(ctx, disconnectRule(), call{
		doing: "disconnecting worker " + s.id, method: http.MethodPost, path: []string{wire.PathDisconnect},
	})
}

// Heartbeat reports the worker as alive. It is tried up to ten times, five seconds
// apart, while the error is [Retryable]. After an error that is [Refused] the
// control plane no longer knows the session.
func (s *Session) Heartbeat(ctx context.Context) error {
	return s.transport.retry(ctx, heartbeatRule(), func(int) error {
		var ignored struct{} // but the response must be a JSON object
		// Existing agents send the time in the zone of the machine.
		body := wire.HeartbeatRequest{SentAt: time.Now().Format(time.RFC3339Nano)}
		return s.try(ctx, call{
			doing: "sending a heartbeat", method: http.MethodPost, path: []string{wire.PathHeartbeat}, into: &ignored,
			headers: s.reported(),
		}.withJSON(body))
	})
}

// send makes a call and tries it again by a rule.
func (s *Session) send(ctx context.Context, by rule, c call) error {
	return s.transport.retry(ctx, by, func(attempt int) error {
		if c.attemptHeader != "" {
			c.headers.Set(c.attemptHeader, strconv.Itoa(attempt))
		}
		return s.try(ctx, c)
	})
}

// try makes a call once as this worker, as soon as no Retry-After forbids it.
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
	endpoints, headers := s.targets() // after the wait, which may be long
	_, err = s.group.tryAny(ctx, endpoints, headers, c)
	leave(RetryAfter(err))
	return err
}

// targets returns the endpoints in the order in which to try them, and the headers to
// send there.
func (s *Session) targets() ([]httpclient.Endpoint, http.Header) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.endpointsLocked(), s.headers
}

func (s *Session) endpointsLocked() []httpclient.Endpoint {
	if s.named != nil {
		return []httpclient.Endpoint{*s.named}
	}
	return s.group.endpoints.All()
}

// Register registers a worker and returns its session. token returns the
// registration token, and is called for each try, so that it may change. Register is
// tried up to 33 times in about five minutes, while nothing responds or the status is 429
// or at least 500. [Refused] distinguishes a wrong token from an outage.
func (t *Transport) Register(ctx context.Context, token func() string, worker wire.RegisterRequest) (*Session, error) {
	worker.Tags = append([]string{}, worker.Tags...) // never null in JSON
	worker.Features = append([]string{}, worker.Features...)
	var response wire.RegisterResponse
	c := call{
		doing: "registering with the control plane", method: http.MethodPost, path: []string{wire.PathRegister},
		timeout: callTimeout, into: &response,
		check: func() error {
			switch {
			case response.ID == "":
				return errors.New("no id in it")
			case response.AccessToken == "":
				return errors.New("no access_token in it")
			}
			return nil
		},
	}.withJSON(worker)
	group := t.nextGroup()
	var from httpclient.Endpoint
	err := t.retry(ctx, registerRule(), func(int) error {
		c.token = token()
		var err error
		from, err = group.tryAny(ctx, group.endpoints.All(), t.headers, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	session := t.newSession(group, response)
	session.follow(from, response.Endpoint)
	return session, nil
}

// newSession returns the session for a complete response.
func (t *Transport) newSession(group *group, response wire.RegisterResponse) *Session {
	session := &Session{
		transport: t,
		group:     group,
		id:        response.ID,
		token:     response.AccessToken,
		headers:   maps.Clone(t.headers),

		pingInterval:      seconds(response.PingInterval),
		heartbeatInterval: seconds(response.HeartbeatInterval),
		jobStatusInterval: seconds(response.JobStatusInterval),
	}
	session.setHeaders(response.RequestHeaders)
	session.pacer = newPacer(session.pingInterval)
	return session
}

// maxInterval bounds the intervals that a control plane can set.
const maxInterval = 24 * time.Hour

// seconds returns an interval of whole seconds, at least one: a ticker needs more
// than zero.
func seconds(count int64) time.Duration {
	return time.Duration(min(max(count, 1), int64(maxInterval/time.Second))) * time.Second
}
