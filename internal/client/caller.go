package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/httpclient/pick"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
)

// callerBase is the base URL of requests before [caller] chooses an endpoint.
const callerBase = "http://control-plane.invalid"

// caller sends requests, with the token and the user agent, to one of the endpoints.
type caller struct {
	http             *httpclient.Client
	endpoints        *httpclient.Endpoints
	token, userAgent string
	trace            tracecontext.Parent
}

// Do implements [connect.HTTPClient]. A request that no server has received is sent to
// the next endpoint. So is one that a proxy without a control plane, or a replica that
// starts or stops, has refused to serve, if it only reads, or if the replica says that it
// has done nothing.
func (c *caller) Do(request *http.Request) (*http.Response, error) {
	request.Header.Set("Authorization", "Bearer "+c.token)
	if c.userAgent != "" {
		request.Header.Set("User-Agent", c.userAgent)
	}
	tracecontext.SetHeader(c.trace.Context(request.Context()), request.Header)
	failed := &unreachedError{}
	for left := c.endpoints.All(); ; left = left[1:] {
		endpoint := left[0]
		next, err := httpclient.At(request, endpoint.HTTPURL()+request.URL.Path)
		if err != nil {
			return nil, fmt.Errorf("calling %s: %w", endpoint, err)
		}
		response, err := c.http.Do(next)
		last := len(left) == 1 || request.Context().Err() != nil
		switch {
		case err != nil:
			c.endpoints.Note(endpoint, pick.Failed)
			failed.add(endpoint, err)
			if last || !httpclient.Unreached(err) {
				return nil, failed.orOnly()
			}
		case httpclient.NoBackend(response.StatusCode):
			c.endpoints.Note(endpoint, pick.Failed)
			if last || !reads(request.Context()) && response.Header.Get(wire.HeaderNotDone) == "" {
				return response, nil
			}
			_ = response.Body.Close() // it is not used
		case asksForTLS(response):
			c.endpoints.Note(endpoint, pick.Failed)
			_ = response.Body.Close() // it was read
			return nil, httpclient.ErrTLSRequired
		default:
			c.endpoints.Note(endpoint, pick.Succeeded)
			return response, nil
		}
	}
}

// maxPage bounds the page in which an https server refuses a request without TLS.
const maxPage = 4 << 10

// asksForTLS reports whether a response is that of an https server to a request without
// TLS. It reads the body of a response that may be one.
func asksForTLS(response *http.Response) bool {
	if response.StatusCode != http.StatusBadRequest || response.TLS != nil {
		return false
	}
	page, _ := io.ReadAll(io.LimitReader(response.Body, maxPage)) // what was read is looked at
	response.Body = prefixed{io.MultiReader(bytes.NewReader(page), response.Body), response.Body}
	return httpclient.AsksForTLS(response, string(page))
}

// prefixed is a body of which the beginning was read.
type prefixed struct {
	io.Reader
	io.Closer
}

// unreachedError is the failure of each endpoint that was tried.
type unreachedError struct {
	endpoints []string
	causes    []error
}

// add adds a failure, without the URL that net/http adds: connect-go would return what
// follows the first of them.
func (e *unreachedError) add(endpoint httpclient.Endpoint, cause error) {
	if failed, ok := errors.AsType[*url.Error](cause); ok {
		cause = failed.Err
	}
	e.endpoints = append(e.endpoints, endpoint.String())
	e.causes = append(e.causes, cause)
}

// orOnly returns the error, or the failure of the only endpoint.
func (e *unreachedError) orOnly() error {
	if len(e.causes) == 1 {
		return e.causes[0]
	}
	return e
}

func (e *unreachedError) Error() string {
	texts := make([]string, 0, len(e.causes))
	for _, cause := range e.causes {
		texts = append(texts, cause.Error())
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the causes.
func (e *unreachedError) Unwrap() []error { return e.causes }

type readsKey struct{}

// reads reports whether the call of a context changes nothing.
func reads(ctx context.Context) bool { return ctx.Value(readsKey{}) != nil }

// markReads is an interceptor that notes in the context of a call that it changes nothing.
type markReads struct{}

func withReads(ctx context.Context, spec connect.Spec) context.Context {
	if spec.IdempotencyLevel == connect.IdempotencyNoSideEffects {
		return context.WithValue(ctx, readsKey{}, true)
	}
	return ctx
}

// WrapUnary implements [connect.Interceptor].
func (markReads) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, request connect.AnyRequest) (connect.AnyResponse, error) {
		return next(withReads(ctx, request.Spec()), request)
	}
}

// WrapStreamingClient implements [connect.Interceptor].
func (markReads) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return func(ctx context.Context, spec connect.Spec) connect.StreamingClientConn {
		return next(withReads(ctx, spec), spec)
	}
}

// WrapStreamingHandler implements [connect.Interceptor].
func (markReads) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return next
}
