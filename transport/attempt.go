package transport

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"connectrpc.com/connect"

	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

const (
	// firstMessageLimit is how long a connection may stay without its first
	// message before it is closed as failed. (Whoever polls in the meantime
	// has lost patience long before.)
	firstMessageLimit = 60 * time.Second

	// http1SilenceLimit applies where nothing else does and there is no PING
	// to show that the connection lives. Keep-alives come about once a minute.
	http1SilenceLimit = 150 * time.Second

	// keepAlivesMissed is how many announced keep-alives may fail to come.
	keepAlivesMissed = 2.5

	// maxStreamMessage bounds one message; an instruction is far smaller.
	maxStreamMessage = 1 << 20
)

// KeepAliveHeader is the header by which a control plane may announce, in the
// response that opens a stream, how many seconds pass at most between two of
// its messages. A stream that stays silent for two and a half times that is
// lost.
const KeepAliveHeader = "Switchyard-Keep-Alive"

var (
	errEndedSilent = errors.New("the control plane ended the stream without a message")
	errNeverSpoke  = errors.New("the stream never spoke")
	errSilent      = errors.New("the stream fell silent")
)

// attempt is one connection attempt of the stream, until its end.
type attempt struct {
	session *Session
	epoch   uint64
	limit   time.Duration // on silence, as configured
	// protocol is the one to use, never StreamAuto.
	protocol StreamProtocol
	post     func(StreamEvent)

	route   route
	base    endpoint
	asked   http.Header // what the control plane wants to be sent along
	status  int         // HTTP status of the response, zero before it
	header  http.Header
	answer  *observedResponse // nil before it
	cancel  context.CancelCauseFunc
	watch   *time.Timer
	silence time.Duration // limit in force after the first message; zero is none
	spoken  bool
}

// end is how an attempt ended.
type end struct {
	kind       StreamEventKind // StreamEnded or StreamLost
	refusal    bool            // with a code that says the stream will not work
	code       connect.Code
	err        error
	retryAfter time.Duration
	refreshed  bool // by this side, to be opened anew at once
}

// run connects, reads to the end, and leaves nothing behind.
func (a *attempt) run(ctx context.Context) end {
	s := a.session
	s.transport.router.findings.forgetUnsure()
	ctx, a.cancel = context.WithCancelCause(withRoute(ctx, &a.route))
	defer a.cancel(nil)
	a.silence = max(a.limit, 0)
	first := firstMessageLimit
	if a.silence > 0 {
		first = min(first, a.silence)
	}
	a.watch = time.AfterFunc(first, func() {
		a.cancel(fmt.Errorf("%w: no message within %s of connecting", errNeverSpoke, first))
	})
	defer func() { a.watch.Stop() }() // by then it may be another one

	ended := a.judge(ctx, a.read(ctx))
	if ended.kind == StreamLost && !ended.refreshed {
		s.transport.router.lost(&a.route)
	}
	return ended
}

// read opens the stream and posts its messages. The error is nil after a clean
// end.
func (a *attempt) read(ctx context.Context) error {
	s := a.session
	base, headers := s.open(a.cancel)
	defer s.closed()
	a.base, a.asked = base, headers
	client := agentedgev1connect.NewAgentEdgeServiceClient(a, base.root(), a.protocol.clientOptions()...)
	stream, err := client.StreamPings(ctx, &agentedgev1.StreamPingsRequest{AgentId: s.id})
	if err != nil {
		return err //nolint:wrapcheck // judged by its code
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
		a.heard()
		first := !a.spoken
		a.spoken = true
		a.post(StreamEvent{Kind: StreamMessage, Epoch: a.epoch, First: first, Instruction: instruction})
	}
	return stream.Err() //nolint:wrapcheck // judged by its code
}

// heard puts off the limit on silence.
func (a *attempt) heard() {
	limit := a.silence
	switch {
	case a.spoken && limit > 0:
		a.watch.Reset(limit)
	case !a.spoken:
		a.watch.Stop()
		if limit > 0 {
			a.watch = time.AfterFunc(limit, func() {
				a.cancel(fmt.Errorf("%w: no message for %s", errSilent, limit))
			})
		}
	}
}

// Do implements [connect.HTTPClient]: it sends the request of the stream and
// notes what the response says beside its messages.
func (a *attempt) Do(request *http.Request) (*http.Response, error) {
	s := a.session
	s.transport.decorate(request.Header, a.asked, s.token)
	response, err := s.transport.client.Do(request) //nolint:gosec // the configured control plane
	if err != nil {
		return nil, a.base.nameIn(err)
	}
	a.status, a.header, a.answer = response.StatusCode, response.Header, observed(response)
	if a.limit == 0 {
		a.silence = announcedSilence(response)
	}
	return response, nil
}

// announcedSilence is the limit on silence where none is configured.
func announcedSilence(response *http.Response) time.Duration {
	// The notation is that of Retry-After, and so are the bounds.
	if every := parseRetryAfter(response.Header.Get(KeepAliveHeader), time.Now()); every > 0 {
		return max(time.Duration(keepAlivesMissed*float64(every)), time.Second)
	}
	if response.ProtoMajor < 2 {
		return http1SilenceLimit
	}
	return 0
}

// judge sorts the end of an attempt.
func (a *attempt) judge(ctx context.Context, err error) end {
	lost := end{kind: StreamLost, err: err}
	if cause := context.Cause(ctx); errors.Is(cause, errRefreshed) {
		if a.spoken {
			return end{kind: StreamEnded, refreshed: true}
		}
		lost.err, lost.refreshed = cause, true
		return lost
	} else if cause != nil {
		lost.err = cause // ours, or the caller's end
		return lost
	}
	if err == nil {
		if a.spoken {
			return end{kind: StreamEnded}
		}
		lost.err = errEndedSilent
		return lost
	}
	failed, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return lost // a message that breaks the stream
	}
	lost.code = failed.Code()
	lost.retryAfter = a.retryAfter(failed)
	lost.err = errors.New(withoutSecret(oneLine(err.Error()), a.session.token))
	// Codes are also made up on this side of the wire, for instance when a
	// dial times out: only the control plane's own, or that of an HTTP status,
	// is a plan or a refusal.
	spokenByServer := connect.IsWireError(failed) || (a.status != 0 && a.status != http.StatusOK)
	switch failed.Code() { //nolint:exhaustive // every other code is a loss
	case connect.CodeDeadlineExceeded:
		if a.spoken && spokenByServer {
			return end{kind: StreamEnded, code: failed.Code(), retryAfter: lost.retryAfter}
		}
	case connect.CodeUnauthenticated, connect.CodePermissionDenied, connect.CodeUnimplemented:
		lost.refusal = spokenByServer
	}
	return lost
}

// retryAfter finds how long the control plane wants to be left alone: in the
// headers of the response, or in the trailers that came with the error.
func (a *attempt) retryAfter(failed *connect.Error) time.Duration {
	// The trailers have no date of their own; that of the headers may be as old
	// as the stream, and a Retry-After in them is then in seconds or too long.
	return max(retryAfterOf(a.header), parseRetryAfter(failed.Meta().Get(headerRetryAfter), time.Now()))
}
