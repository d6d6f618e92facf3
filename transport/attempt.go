package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/httpclient"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

const (
	// firstMessageLimit is how long a connection may be without its first message
	// before it is closed. The worker polls long before that.
	firstMessageLimit = 60 * time.Second

	// defaultTrust is how long a silent stream is trusted if the control plane
	// announces nothing. Existing control planes send a message about once a minute.
	defaultTrust = 150 * time.Second

	// keepAlivesMissed is how many announced keep-alives may be missing, and maxTrust
	// bounds the time, whatever is announced.
	keepAlivesMissed = 2.5
	maxTrust         = 10 * time.Minute

	// closeAfter is after how many times the trust a silent stream is closed. Until
	// then a late message still counts.
	closeAfter = 1.2

	// maxStreamMessage bounds a message; an instruction is far smaller.
	maxStreamMessage = 1 << 20
)

var (
	errEndedSilent    = errors.New("the control plane ended the stream without a message")
	errNoFirstMessage = errors.New("the stream never sent a message")
	errSilent         = errors.New("the stream became silent")
)

// attempt is one connection attempt of the stream, until its end.
type attempt struct {
	session *Session
	epoch   uint64
	trust   time.Duration // in silence, as configured, or zero
	// protocol is the one to use, never StreamAuto.
	protocol StreamProtocol
	post     func(StreamEvent)

	endpoint httpclient.Endpoint
	headers  http.Header // set by the control plane, to send along
	response *observedResponse
	// requested is when the response, or none, arrived.
	requested time.Time
	cancel    context.CancelCauseFunc
	watchdog  *time.Timer
	silence   time.Duration // after which the stream is closed; zero is never
	healthy   bool          // a message has been received
}

// attemptEnd is how an attempt ended.
type attemptEnd struct {
	kind       StreamEventKind // StreamEnded or StreamLost
	refusal    bool            // with a code that means that the stream will not work
	err        error
	retryAfter time.Duration
	refreshed  bool // by RefreshStream, to be opened again at once
}

// run connects, reads to the end, and releases everything.
func (a *attempt) run(ctx context.Context) attemptEnd {
	client := a.session.transport.client
	client.ForgetUncertainProtocols()
	ctx, a.cancel = context.WithCancelCause(ctx)
	defer a.cancel(nil)
	first := firstMessageLimit
	if a.trust > 0 {
		first = min(first, a.trust)
	}
	a.watchdog = time.AfterFunc(first, func() {
		a.cancel(fmt.Errorf("%w: no message within %s of connecting", errNoFirstMessage, first))
	})
	defer func() { a.watchdog.Stop() }() // it may be another timer by then

	end := a.classify(ctx, a.read(ctx))
	if end.kind == StreamLost && !end.refreshed {
		client.ForgetProtocol(a.endpoint, a.requested)
	}
	return end
}

// read opens the stream and posts its messages. It returns nil after a clean end.
func (a *attempt) read(ctx context.Context) error {
	s := a.session
	a.endpoint, a.headers = s.beginStream(a.cancel)
	defer s.endStream()
	client := agentedgev1connect.NewAgentEdgeServiceClient(a, a.endpoint.Origin(), a.protocol.clientOptions()...)
	stream, err := client.StreamPings(ctx, &agentedgev1.StreamPingsRequest{AgentId: s.id})
	if err != nil {
		return err //nolint:wrapcheck // classified by its code
	}
	defer func() { _ = stream.Close() }() // its end has been read
	for stream.Receive() {
		instruction, err := streamInstruction(stream.Msg())
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		a.resetWatchdog()
		first := !a.healthy
		a.healthy = true
		a.post(StreamEvent{Kind: StreamMessage, Epoch: a.epoch, First: first, Instruction: instruction, Trust: a.trust})
	}
	return stream.Err() //nolint:wrapcheck // classified by its code
}

// resetWatchdog is called with each message, before it is posted.
func (a *attempt) resetWatchdog() {
	limit := a.silence
	switch {
	case a.healthy && limit > 0:
		a.watchdog.Reset(limit)
	case !a.healthy:
		a.watchdog.Stop()
		if limit > 0 {
			a.watchdog = time.AfterFunc(limit, func() {
				a.cancel(fmt.Errorf("%w: no message for %s", errSilent, limit))
			})
		}
	}
}

// Do implements [connect.HTTPClient]: it sends the request of the stream and keeps
// the response.
func (a *attempt) Do(request *http.Request) (*http.Response, error) {
	t := a.session.transport
	t.decorate(request.Header, a.headers, a.session.token)
	response, err := t.do(request)
	a.requested = time.Now()
	if err != nil {
		return nil, err
	}
	a.response = observe(response)
	a.trust, a.silence = silenceLimits(response, a.trust)
	return response, nil
}

// silenceLimits returns how long a silent stream is trusted, and after which time it
// is closed, or zero for never. The configured trust, if it is not zero, replaces
// what the response announces.
func silenceLimits(response *http.Response, configured time.Duration) (trust, closed time.Duration) {
	trust = configured
	if trust <= 0 {
		// The notation is that of Retry-After.
		every := parseRetryAfter(response.Header.Get(wire.HeaderKeepAlive), time.Now())
		trust = min(max(time.Duration(keepAlivesMissed*float64(every)), time.Second), maxTrust)
		if every <= 0 {
			trust = defaultTrust
			if response.ProtoMajor >= 2 {
				return trust, 0
			}
		}
	}
	return trust, time.Duration(closeAfter * float64(trust))
}

// classify returns how the attempt ended.
func (a *attempt) classify(ctx context.Context, err error) attemptEnd {
	lost := attemptEnd{kind: StreamLost, err: err}
	planned := attemptEnd{kind: StreamEnded}
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errRefreshed) && a.healthy:
		planned.refreshed = true
		return planned
	case cause != nil: // this side ended it
		lost.err, lost.refreshed = cause, errors.Is(cause, errRefreshed)
		return lost
	case err == nil && a.healthy:
		return planned
	case err == nil:
		lost.err = errEndedSilent
		return lost
	}
	failed, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return lost // by an invalid message
	}
	lost.retryAfter = a.retryAfter(failed)
	lost.err = errors.New(withoutSecret(oneLine(err.Error()), a.session.token))
	// Codes are also produced on this side, for example when a dial times out: only
	// one sent by the control plane, or that of an HTTP status, is a plan or refusal.
	fromServer := connect.IsWireError(failed) || a.response != nil && a.response.StatusCode != http.StatusOK
	switch failed.Code() { //nolint:exhaustive // every other code is a loss
	case connect.CodeDeadlineExceeded:
		if a.healthy && fromServer {
			planned.retryAfter = lost.retryAfter
			return planned
		}
	case connect.CodeUnauthenticated, connect.CodePermissionDenied, connect.CodeUnimplemented:
		lost.refusal = fromServer
	}
	return lost
}

// retryAfter returns the Retry-After of the response's headers, or of the trailers
// that came with the error.
func (a *attempt) retryAfter(failed *connect.Error) time.Duration {
	var header http.Header
	if a.response != nil {
		header = a.response.Header
	}
	// The trailers have no Date of their own; that of the headers may be as old as
	// the stream.
	return max(retryAfterOf(header), parseRetryAfter(failed.Meta().Get(headerRetryAfter), time.Now()))
}
