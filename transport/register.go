package transport

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Register registers a worker with a registration token and returns its session.
// It is tried up to 30 times, about ten seconds apart, while nothing responds or
// the status is 429 or at least 500. [Refused] distinguishes a wrong token from an
// outage.
func (t *Transport) Register(ctx context.Context, token string, worker wire.RegisterRequest) (*Session, error) {
	if worker.Tags == nil {
		worker.Tags = []string{}
	}
	if worker.Features == nil {
		worker.Features = []string{}
	}
	var response wire.RegisterResponse
	c := call{
		doing: "registering with the control plane", method: http.MethodPost, path: []string{wire.PathRegister},
		token: token, timeout: callTimeout, into: &response,
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
	err := retry(ctx, t.log, registerRule(), func(int) error { return t.try(ctx, t.endpoint, t.headers, c) })
	if err != nil {
		return nil, err
	}
	session := t.newSession(response)
	// If the named endpoint does not respond the session keeps this one. The
	// instruction of that ping is not needed: the next ping repeats it.
	session.follow(ctx, response.Endpoint, time.Now().Add(pingTimeout))
	return session, nil
}

// newSession returns the session for a complete response.
func (t *Transport) newSession(response wire.RegisterResponse) *Session {
	session := &Session{
		transport: t,
		id:        response.ID,
		name:      response.Name,
		token:     response.AccessToken,
		endpoint:  t.endpoint,
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
