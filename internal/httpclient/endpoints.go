package httpclient

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient/pick"
)

// maxEndpoints bounds the endpoints of one control plane.
const maxEndpoints = 64

// oneOfManyTimeout bounds connecting to one of several endpoints.
const oneOfManyTimeout = 3 * time.Second

// Endpoints are the endpoints of one control plane, each of which serves everything.
// One of them is in use; another one takes its place when it fails. It is safe for
// concurrent use.
type Endpoints struct {
	all   []Endpoint
	names []string

	mu      sync.Mutex
	pick    pick.Pick
	current int
}

// NewEndpoints returns endpoints of which the one with the index first is in use. There
// is at least one.
func NewEndpoints(all []Endpoint, first int) *Endpoints {
	e := &Endpoints{all: all, current: first % len(all)}
	for _, endpoint := range all {
		e.names = append(e.names, endpoint.String())
	}
	return e
}

// Current returns the endpoint in use.
func (e *Endpoints) Current() Endpoint {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.all[e.current]
}

// All returns all endpoints in the order in which to try them, the one in use first
// unless it has failed a moment ago and another one has not.
func (e *Endpoints) All() []Endpoint {
	e.mu.Lock()
	defer e.mu.Unlock()
	ordered := make([]Endpoint, 0, len(e.all))
	for _, i := range e.order(time.Now()) {
		ordered = append(ordered, e.all[i])
	}
	return ordered
}

// order returns the indexes in the order in which to try them.
func (e *Endpoints) order(now time.Time) []int {
	turned := slices.Concat(e.names[e.current:], e.names[:e.current])
	indexes := make([]int, 0, len(turned))
	for _, name := range e.pick.Order(now, turned) {
		indexes = append(indexes, slices.Index(e.names, name))
	}
	return indexes
}

// Note notes what a call to an endpoint has shown. It returns the endpoint in use, and
// whether that has changed.
func (e *Endpoints) Note(endpoint Endpoint, event pick.Event) (current Endpoint, changed bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.Index(e.names, endpoint.String())
	if i < 0 || len(e.all) == 1 {
		return e.all[e.current], false
	}
	now, before := time.Now(), e.current
	e.pick.Step(now, e.names[i], event)
	switch {
	case event != pick.Succeeded:
		e.current = e.order(now)[0]
	case e.pick.Aside(now, e.names[e.current]):
		e.current = i
	}
	return e.all[e.current], e.current != before
}

// ParseEndpoints parses the endpoints of one control plane. Repeated ones count once. Its
// errors begin with "endpoint" and the input.
func ParseEndpoints(raw []string) ([]Endpoint, error) {
	if len(raw) == 0 {
		return nil, errors.New("endpoint missing")
	}
	if len(raw) > maxEndpoints {
		return nil, fmt.Errorf("%d endpoints, want at most %d", len(raw), maxEndpoints)
	}
	var all []Endpoint
	for i, text := range raw {
		endpoint, err := ParseEndpoint(text)
		switch {
		case err != nil && len(raw) > 1:
			return nil, fmt.Errorf("endpoint %d of %d %w", i+1, len(raw), err)
		case err != nil:
			return nil, fmt.Errorf("endpoint %w", err)
		}
		if !slices.ContainsFunc(all, func(other Endpoint) bool { return other.String() == endpoint.String() }) {
			all = append(all, endpoint)
		}
	}
	return all, nil
}

// DialTimeoutOf returns the time-out of connecting, for [Options], to one of a number of
// endpoints. It is short where another one may respond.
func DialTimeoutOf(endpoints int) time.Duration {
	if endpoints > 1 {
		return oneOfManyTimeout
	}
	return dialTimeout
}

// At returns the request for another URL, with a body of its own.
func At(request *http.Request, address string) (*http.Request, error) {
	target, err := url.Parse(address)
	if err != nil {
		return nil, fmt.Errorf("parsing an address: %w", err)
	}
	next := request.Clone(request.Context())
	next.URL, next.Host = target, target.Host
	if request.GetBody != nil {
		if next.Body, err = request.GetBody(); err != nil {
			return nil, fmt.Errorf("repeating the body of a request: %w", err)
		}
	}
	return next, nil
}

// NoBackend reports whether a status is that of a proxy without a control plane, or of a
// replica that starts or stops.
func NoBackend(status int) bool {
	return status == http.StatusBadGateway || status == http.StatusServiceUnavailable || status == http.StatusGatewayTimeout
}

// Unreached reports whether an error of [Client.Do] means that no server has received
// the request, so that another endpoint may be asked at once.
func Unreached(err error) bool {
	if dialed, ok := errors.AsType[*net.OpError](err); ok && dialed.Op == opDial {
		return true
	}
	_, lookedUp := errors.AsType[*net.DNSError](err)
	_, refused := errors.AsType[*TLSError](err)
	return lookedUp || refused
}
