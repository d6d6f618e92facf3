package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const (
	headerAuthorization   = "Authorization"
	headerContentEncoding = "Content-Encoding"
	headerContentType     = "Content-Type"
	headerRetryAfter      = "Retry-After"
	headerTimeout         = "Buildkite-Timeout-Milliseconds"
	headerUserAgent       = "User-Agent"

	contentTypeJSON = "application/json"

	// routeJobs begins the path of every call about a job.
	routeJobs = "jobs"

	// callTimeout bounds one try of an ordinary call, its body included.
	callTimeout = 60 * time.Second
	// pingTimeout bounds a ping, and one try of an accept: work waits for
	// them.
	pingTimeout = 10 * time.Second

	// maxAnswer bounds the body of an answer, decompressed. A job's
	// environment is the largest thing in one.
	maxAnswer = 16 << 20
	// maxIgnored bounds what is read of a body that nobody looks at, for the
	// sake of the connection's reuse.
	maxIgnored = 64 << 10
)

// call is one request to the control plane and how its answer is read.
type call struct {
	doing    string // what the caller is doing, for errors: "accepting job X"
	method   string
	path     []string // segments below the endpoint, unescaped
	query    url.Values
	token    string
	headers  http.Header // of this call alone
	body     []byte      // nil sends none
	bodyType string      // Content-Type of body
	timeout  time.Duration
	// untimed leaves out the header that tells the server how long the caller
	// waits.
	untimed bool
	// into receives the JSON object in the body of a success; nil ignores the
	// body.
	into any
}

// try makes one call, once. Errors are one line, name what was being done, and
// hold no token.
func (t *Transport) try(ctx context.Context, base endpoint, headers http.Header, c call) error {
	tryCtx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	request, err := t.request(tryCtx, base, headers, c)
	if err != nil {
		return fmt.Errorf("%s: %w", c.doing, &failure{kind: hopeless, err: err})
	}
	response, err := t.client.Do(request)
	if err != nil {
		return fmt.Errorf("%s: %w", c.doing, t.unanswered(ctx, tryCtx, c.timeout, base.nameIn(err)))
	}
	defer func() { _ = response.Body.Close() }() // what is left unread is not wanted

	if response.StatusCode < 200 || response.StatusCode > 299 {
		status := statusError(response, c.token)
		if askedForTLS(response, status.Message) {
			return fmt.Errorf("%s: %s: %w", c.doing, base, &failure{kind: hopeless, err: fmt.Errorf("%w (%w)", errSpeaksTLS, status)})
		}
		return fmt.Errorf("%s: %w", c.doing, status)
	}
	if c.into == nil {
		// The status is the answer; the rest is read only so that the
		// connection can be used again.
		_, _ = io.CopyN(io.Discard, response.Body, maxIgnored)
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("%s: reading the answer: %w", c.doing, t.unanswered(ctx, tryCtx, c.timeout, err))
	}
	if err := decode(body, c.into); err != nil {
		return fmt.Errorf("%s: %w", c.doing, err)
	}
	return nil
}

func (t *Transport) request(ctx context.Context, base endpoint, headers http.Header, c call) (*http.Request, error) {
	address, err := base.url(c.path...)
	if err != nil {
		return nil, err
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
	if c.body != nil {
		request.Header.Set(headerContentType, c.bodyType)
	}
	if deadline, ok := ctx.Deadline(); ok && !c.untimed {
		left := max(time.Until(deadline), time.Millisecond)
		request.Header.Set(headerTimeout, strconv.FormatInt(left.Milliseconds(), 10))
	}
	return request, nil
}

// decorate sets what every request carries, call or stream: the headers that
// the control plane asked for, the token, and who is asking.
func (t *Transport) decorate(into, asked http.Header, token string) {
	maps.Copy(into, asked)
	into.Set(headerAuthorization, "Token "+token)
	into.Set(headerUserAgent, t.userAgent)
}

// unanswered sorts an error of net/http: did the caller end, the try's
// deadline pass, or the network fail?
func (t *Transport) unanswered(ctx, tryCtx context.Context, timeout time.Duration, err error) error {
	switch {
	case ctx.Err() != nil:
		return &failure{kind: callerEnded, err: context.Cause(ctx)}
	case tryCtx.Err() != nil:
		if failed, ok := errors.AsType[*url.Error](err); ok {
			return &failure{kind: noAnswer, err: fmt.Errorf("%s %s: %w (%s)", failed.Op, failed.URL, ErrNoAnswer, timeout)}
		}
		return &failure{kind: noAnswer, err: fmt.Errorf("%w (%s)", ErrNoAnswer, timeout)}
	case unverifiable(err):
		return &failure{kind: hopeless, err: err}
	default:
		return &failure{kind: noAnswer, err: err}
	}
}

// statusError reads an unsuccessful answer.
func statusError(response *http.Response, token string) *StatusError {
	// A body that breaks off is quoted as far as it came.
	body, _ := io.ReadAll(io.LimitReader(response.Body, maxErrorBody))
	// Before it is cut, lest a part of the token is left at the end.
	message, own := parseErrorBody([]byte(withoutSecret(string(body), token)))
	return &StatusError{
		Code:             response.StatusCode,
		Message:          withoutSecret(message, token),
		FromControlPlane: own,
		RetryAfter:       retryAfterOf(response.Header),
	}
}

// decode reads the JSON object that a success consists of.
func decode(body []byte, into any) error {
	if len(body) > maxAnswer {
		return &failure{kind: undecodable, err: fmt.Errorf("%w: longer than %d bytes", ErrUndecodable, maxAnswer)}
	}
	trimmed := bytes.TrimLeft(body, " \t\r\n")
	switch {
	case len(trimmed) == 0:
		return &failure{kind: undecodable, err: fmt.Errorf("%w: it is empty", ErrUndecodable)}
	case isPage(body):
		return &failure{kind: undecodable, err: fmt.Errorf("%w: it is an %s", ErrUndecodable, describePage(body))}
	case trimmed[0] != '{':
		return &failure{kind: undecodable, err: fmt.Errorf("%w: it is not a JSON object", ErrUndecodable)}
	}
	err := json.Unmarshal(body, into)
	if mistyped, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		// The error of encoding/json may repeat the value, which may be a
		// token.
		err = fmt.Errorf("%q is not a JSON %s", mistyped.Field, mistyped.Type)
	}
	if err != nil {
		return &failure{kind: undecodable, err: fmt.Errorf("%w: %w", ErrUndecodable, err)}
	}
	return nil
}

// incomplete is a success that lacks what the call is for.
func incomplete(doing, missing string) error {
	return fmt.Errorf("%s: %w", doing, &failure{kind: undecodable, err: fmt.Errorf("%w: no %s in it", ErrUndecodable, missing)})
}
