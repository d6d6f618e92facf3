package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
)

const (
	headerContentType = "Content-Type"
	headerRetryAfter  = "Retry-After"

	contentTypeJSON = "application/json"

	// callTimeout bounds one try of an ordinary call, its body included.
	callTimeout = 60 * time.Second
	// pingTimeout bounds a ping, and one try of an accept: work waits for them.
	pingTimeout = 10 * time.Second

	// maxIgnored bounds what is read of a body that is not used, so that the
	// connection can be used again.
	maxIgnored = 64 << 10
)

// call is one request to the control plane.
type call struct {
	doing   string // for errors, such as "accepting job X"
	method  string
	path    []string // segments below the endpoint, not escaped
	query   url.Values
	token   string      // empty means the session's
	headers http.Header // of this call alone
	// attemptHeader is the header that carries the number of the attempt, from 0.
	attemptHeader string
	body          []byte // nil sends none
	bodyType      string // Content-Type of body
	timeout       time.Duration
	// untimed omits the header that announces the timeout to the server.
	untimed bool
	// delivery marks a call that waits for a [Recovery] and cannot cause one by its own
	// failure.
	delivery bool
	// into receives the JSON object of a success; nil ignores the body.
	into any
	// check returns an error if into is incomplete. Nil checks nothing.
	check func() error
}

// withJSON returns the call with a body.
func (c call) withJSON(body any) call {
	c.body, _ = json.Marshal(body) //nolint:errchkjson // structs of strings and numbers have no error
	c.bodyType = contentTypeJSON
	return c
}

// kind returns the name of the call without the ID of its job.
func (c call) kind() string {
	path := c.path
	if path[0] == wire.PathJobs {
		path = append([]string{wire.PathJobs, "*"}, path[2:]...)
	}
	return c.method + " " + strings.Join(path, "/")
}

// try makes a call once. Its errors are one line, name what was being done, and
// contain no token.
func (g *group) try(ctx context.Context, endpoint httpclient.Endpoint, headers http.Header, c call) (err error) {
	t := g.transport
	defer func() {
		t.contact.observe(err, c.delivery)
		if ctx.Err() == nil {
			g.note(endpoint, err)
		}
		if err != nil {
			err = fmt.Errorf("%s: %w", c.doing, err)
		}
	}()
	tryCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := t.request(tryCtx, endpoint, headers, c)
	if err != nil {
		return &failure{kind: impossible, err: err}
	}
	response, err := g.do(request)
	if err != nil {
		return unanswered(ctx, tryCtx, c.timeout, err)
	}
	defer func() { _ = response.Body.Close() }() // what is left of it is not needed

	if response.StatusCode < 200 || response.StatusCode > 299 {
		status := statusError(response, c.token)
		if httpclient.AsksForTLS(response, status.Message) {
			err := fmt.Errorf("%s: %w (%w)", endpoint, httpclient.ErrTLSRequired, status)
			return &failure{kind: impossible, err: err}
		}
		return status
	}
	if c.into == nil {
		_, _ = io.CopyN(io.Discard, response.Body, maxIgnored)
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxBody+1))
	if err != nil {
		return fmt.Errorf("reading the response: %w", unanswered(ctx, tryCtx, c.timeout, err))
	}
	if err := decode(body, c.into); err != nil {
		return err
	}
	if c.check != nil {
		if err := c.check(); err != nil {
			return undecodableError("%w", err)
		}
	}
	return nil
}

func (t *Transport) request(ctx context.Context, endpoint httpclient.Endpoint, headers http.Header, c call) (*http.Request, error) {
	address, err := endpoint.URL(c.path...)
	if err != nil {
		return nil, err //nolint:wrapcheck // it names the path
	}
	address.RawQuery = c.query.Encode()
	var body io.Reader
	if c.body != nil {
		body = bytes.NewReader(c.body)
	}
	request, err := http.NewRequestWithContext(ctx, c.method, address.String(), body)
	if err != nil {
		return nil, fmt.Errorf("preparing the request: %w", err)
	}
	t.decorate(request.Header, headers, c.token)
	maps.Copy(request.Header, c.headers)
	tracecontext.SetHeader(ctx, request.Header)
	if c.body != nil {
		request.Header.Set(headerContentType, c.bodyType)
	}
	if deadline, ok := ctx.Deadline(); ok && !c.untimed {
		left := max(time.Until(deadline), time.Millisecond)
		request.Header.Set(wire.HeaderTimeout, strconv.FormatInt(left.Milliseconds(), 10))
	}
	return request, nil
}

// decorate sets the headers of every request, call or stream: those that the
// control plane set, the token, and the user agent.
func (t *Transport) decorate(into, set http.Header, token string) {
	maps.Copy(into, set)
	into.Set("Authorization", wire.TokenScheme+" "+token)
	into.Set("User-Agent", t.userAgent)
}

// unanswered classifies an error of net/http: the caller's context ended, the
// timeout of the try passed, or the network failed.
func unanswered(ctx, tryCtx context.Context, timeout time.Duration, err error) error {
	_, badCertificate := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case ctx.Err() != nil:
		return &failure{kind: callerEnded, err: context.Cause(ctx)}
	case tryCtx.Err() != nil:
		what := ""
		if failed, ok := errors.AsType[*url.Error](err); ok {
			what = failed.Op + " " + failed.URL + ": "
		}
		return &failure{kind: noAnswer, err: fmt.Errorf("%s%w (%s)", what, ErrNoAnswer, timeout)}
	case badCertificate:
		return &failure{kind: impossible, err: err} // the next try cannot change it
	default:
		return &failure{kind: noAnswer, err: err}
	}
}
