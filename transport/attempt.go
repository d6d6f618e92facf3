package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
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
	errNoEndpoint     = errors.New("there is no endpoint") // which cannot be
)

// attempt is one connection attempt of the stream, until its end.
type attempt struct {
	session *Session
	epoch   uint64
	trust   time.Duration // in silence, as configured, or zero
	// protocol is the one to use, never StreamAuto.
	protocol StreamProtocol
	post     func(StreamEvent)

	endpoints []httpclient.Endpoint // to try, in order
	endpoint  httpclient.Endpoint   // the one that has responded, or was tried last
	moves     uint64                // of the group, before the attempt
	headers   http.Header           // set by the control plane, to send along
	response  *observedResponse
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
	moves      bool // the control plane asks to open the next one elsewhere
	broken     bool // the connection failed after the response had begun
}

// run connects, reads to the end, and releases everything.
func (a *attempt) run(ctx context.Context) attemptEnd {
	client := a.session.group.client
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
	if end.broken {
		a.session.group.note(a.endpoint, end.err)
	}
	return end
}

// read opens the stream and posts its messages. It returns nil after a clean end.
func (a *attempt) read(ctx context.Context) error {
	s := a.session
	a.moves = s.group.moved()
	a.endpoints, a.headers = s.beginStream(a.cancel)
	defer s.endStream()
	a.endpoint = a.endpoints[0]
	client := agentedgev1connect.NewAgentEdgeServiceClient(a, a.endpoint.Origin()+s.transport.streamPath, a.protocol.clientOptions()...)
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

// Do implements [connect.HTTPClient]: it sends the request of the stream to the first of
// the endpoints that can be reached, and keeps the response.
func (a *attempt) Do(request *http.Request) (*http.Response, error) {
	s := a.session
	s.transport.decorate(request.Header, a.headers, s.token)
	for i, endpoint := range a.endpoints {
		response, err := a.doAt(request, endpoint)
		if ctx := request.Context(); ctx.Err() != nil && err != nil {
			return nil, err
		}
		last, unreached := i == len(a.endpoints)-1, err != nil && httpclient.Unreached(err)
		switch {
		case err != nil:
			s.group.note(endpoint, err)
		case httpclient.NoBackend(response.StatusCode) && response.Header.Get(headerRetryAfter) == "": // a proxy without a control plane
			s.group.note(endpoint, &StatusError{Code: response.StatusCode})
			unreached = true
		}
		if unreached && !last {
			if response != nil {
				_ = response.Body.Close() // it is not used
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		a.response = observe(response)
		a.trust, a.silence = silenceLimits(response, a.trust)
		return response, nil
	}
	return nil, errNoEndpoint
}

// doAt sends the request of the stream to one endpoint.
func (a *attempt) doAt(request *http.Request, endpoint httpclient.Endpoint) (*http.Response, error) {
	next, err := httpclient.At(request, endpoint.Origin()+request.URL.Path)
	if err != nil {
		return nil, fmt.Errorf("opening the stream at %s: %w", endpoint, err)
	}
	a.endpoint = endpoint
	a.session.streamAt(endpoint)
	response, err := a.session.group.do(next)
	a.requested = time.Now()
	return response, err
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
	lost.err = a.explained(errors.New(withoutSecret(oneLine(err.Error()), a.session.token)))
	// Codes are also produced on this side, for example when a dial times out: only
	// one sent by the control plane, or that of an HTTP status, is a plan or refusal.
	fromServer := connect.IsWireError(failed) || a.response != nil && a.response.StatusCode != http.StatusOK
	switch failed.Code() { //nolint:exhaustive // every other code is a loss
	case connect.CodeDeadlineExceeded:
		if a.healthy && fromServer {
			planned.retryAfter = lost.retryAfter
			planned.moves = failed.Meta().Get(wire.HeaderMove) != ""
			return planned
		}
	case connect.CodeUnauthenticated, connect.CodePermissionDenied, connect.CodeUnimplemented:
		lost.refusal = fromServer
	}
	lost.broken = !fromServer && a.response != nil
	return lost
}

// explained adds to the error of a stream that was opened outside of the endpoint's path
// that this may be the cause.
func (a *attempt) explained(err error) error {
	path := strings.TrimSuffix(a.endpoint.Path(), wire.Prefix)
	if a.healthy || a.response == nil || path == "" || a.session.transport.streamPath != "" {
		return err
	}
	return fmt.Errorf("%w; it was opened at %s, outside of the endpoint's path %s: "+
		"if a proxy serves the control plane below that path, set the stream's path (--stream-path %s)", err, a.endpoint.Origin(), path, path)
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
