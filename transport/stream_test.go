package transport_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/transport"
)

const procedure = agentedgev1connect.AgentEdgeServiceStreamPingsProcedure

type (
	streamOut = connect.ServerStream[agentedgev1.StreamPingsResponse]
	// serve is what a control plane does with one stream.
	serve func(ctx context.Context, out *streamOut) error
)

// edge is a control plane's stream endpoint: each connection is served by the
// next function, and the last goes on.
type edge struct {
	mu      sync.Mutex
	streams []serve
	opened  int
	agents  []string
	headers []http.Header
	protos  []string
}

func (e *edge) StreamPings(ctx context.Context, request *agentedgev1.StreamPingsRequest, out *streamOut) error {
	info, _ := connect.CallInfoForHandlerContext(ctx)
	e.mu.Lock()
	next := e.streams[min(e.opened, len(e.streams)-1)]
	e.opened++
	e.agents = append(e.agents, request.GetAgentId())
	e.headers = append(e.headers, info.RequestHeader())
	e.mu.Unlock()
	return next(ctx, out)
}

func (e *edge) count() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.opened
}

// over is the protocol of each stream.
func (e *edge) over() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return strings.Join(e.protos, " ")
}

// newEdge is a control plane with streams and nothing else.
func newEdge(streams ...serve) (*edge, http.Handler) {
	service := &edge{streams: streams}
	path, handler := agentedgev1connect.NewAgentEdgeServiceHandler(service)
	mux := http.NewServeMux()
	mux.Handle("POST /v3/register", reply(http.StatusOK, registerAnswer))
	mux.HandleFunc(path, func(w http.ResponseWriter, r *http.Request) {
		service.mu.Lock()
		service.protos = append(service.protos, r.Proto)
		service.mu.Unlock()
		handler.ServeHTTP(w, r)
	})
	return service, mux
}

// What a control plane can do with a stream.

func say(messages ...*agentedgev1.StreamPingsResponse) serve {
	return func(_ context.Context, out *streamOut) error {
		for _, message := range messages {
			if err := out.Send(message); err != nil {
				return err
			}
		}
		return nil
	}
}

func stay(ctx context.Context, _ *streamOut) error {
	<-ctx.Done()
	return ctx.Err()
}

func fail(code connect.Code) serve {
	return func(context.Context, *streamOut) error { return connect.NewError(code, errors.New("so it says")) }
}

func wait(d time.Duration) serve {
	return func(ctx context.Context, _ *streamOut) error {
		select {
		case <-time.After(d):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func repeat(times int, what serve) serve {
	return func(ctx context.Context, out *streamOut) error {
		for range times {
			if err := what(ctx, out); err != nil {
				return err
			}
		}
		return nil
	}
}

func then(steps ...serve) serve {
	return func(ctx context.Context, out *streamOut) error {
		for _, step := range steps {
			if err := step(ctx, out); err != nil {
				return err
			}
		}
		return nil
	}
}

// The messages.

func resume() *agentedgev1.StreamPingsResponse {
	return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Resume{Resume: &agentedgev1.ResumeAction{}}}
}

func pause(reason string) *agentedgev1.StreamPingsResponse {
	return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Pause{Pause: &agentedgev1.PauseAction{Reason: reason}}}
}

func disconnect(reason string) *agentedgev1.StreamPingsResponse {
	return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Disconnect{Disconnect: &agentedgev1.DisconnectAction{Reason: reason}}}
}

func assign(job *agentedgev1.Job) *agentedgev1.StreamPingsResponse {
	return &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_JobAssigned{JobAssigned: &agentedgev1.JobAssignedAction{Job: job}}}
}

// fromTheFuture holds an action that this version does not know.
func fromTheFuture() *agentedgev1.StreamPingsResponse {
	message := &agentedgev1.StreamPingsResponse{}
	message.ProtoReflect().SetUnknown(protowire.AppendString(protowire.AppendTag(nil, 9, protowire.BytesType), "dance"))
	return message
}

// stamped is an event and when it came.
type stamped struct {
	transport.StreamEvent

	at time.Duration
}

func (s stamped) String() string {
	text := fmt.Sprintf("%d %s", s.Epoch, s.Kind)
	if s.First {
		text += " first"
	}
	if s.Instruction != (wire.Instruction{}) {
		text = strings.TrimRight(fmt.Sprintf("%s: %s %s%s", text, s.Instruction.Kind, s.Instruction.JobID, s.Instruction.Reason), " ")
	}
	if code := codeOf(s.Err); code != 0 {
		text += " " + code.String()
	}
	return text
}

// codeOf returns the code at the beginning of an error's text, or zero.
func codeOf(err error) connect.Code {
	var code connect.Code
	if err != nil {
		name, _, _ := strings.Cut(err.Error(), ":")
		_ = code.UnmarshalText([]byte(name)) // it stays zero for another text
	}
	return code
}

// running is a RunStream in progress.
type running struct {
	mu      sync.Mutex
	events  []stamped
	started time.Time
	cancel  context.CancelFunc
	done    chan struct{}
}

func run(t *testing.T, session *transport.Session, options transport.StreamOptions) *running {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &running{started: time.Now(), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		session.RunStream(ctx, options, func(event transport.StreamEvent) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, stamped{event, time.Since(r.started)})
		})
	}()
	t.Cleanup(r.stop)
	return r
}

// stop ends it, and waits until it has ended.
func (r *running) stop() {
	r.cancel()
	<-r.done
}

func (r *running) all() []stamped {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]stamped(nil), r.events...)
}

// untilEvents waits for that many events, in virtual time.
func (r *running) until(t *testing.T, count int) []stamped {
	t.Helper()
	const patience = 2 * time.Hour
	for range patience / (10 * time.Millisecond) {
		if events := r.all(); len(events) >= count {
			return events
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%d events in %s, want %d: %v", len(r.all()), patience, count, r.all())
	return nil
}

func lines(events []stamped) string {
	text := make([]string, 0, len(events))
	for _, event := range events {
		text = append(text, event.String())
	}
	return strings.Join(text, "\n")
}

// TestStreamEvents shows what becomes an event, and which.
func TestStreamEvents(t *testing.T) {
	works := say(resume())
	rows := []struct {
		name    string
		streams []serve
		want    string // the first events
		errHas  string // of the last one
	}{
		{
			name: "the instructions",
			streams: []serve{then(say(resume(), pause("upgrade"), &agentedgev1.StreamPingsResponse{}, fromTheFuture(),
				assign(&agentedgev1.Job{Id: "j1"}), disconnect("bye")), stay)},
			want: "1 message first: resume\n1 message: pause upgrade\n1 message: resume\n1 message: resume\n1 message: job assigned j1\n1 message: disconnect bye",
		},
		{name: "a clean end is planned", streams: []serve{works}, want: "1 message first: resume\n1 ended\n2 message first: resume\n2 ended"},
		{name: "a deadline is planned", streams: []serve{then(works, fail(connect.CodeDeadlineExceeded))}, want: "1 message first: resume\n1 ended"},
		{name: "a clean end without a message is not", streams: []serve{say()}, want: "1 lost\n2 lost", errHas: "without a message"},
		{name: "a deadline without a message is not", streams: []serve{fail(connect.CodeDeadlineExceeded)}, want: "1 lost deadline_exceeded"},
		{name: "internal error", streams: []serve{then(works, fail(connect.CodeInternal)), works}, want: "1 message first: resume\n1 lost internal\n2 message first: resume"},
		{name: "unavailable", streams: []serve{then(works, fail(connect.CodeUnavailable))}, want: "1 message first: resume\n1 lost unavailable", errHas: "so it says"},
		{name: "superseded by another process", streams: []serve{then(works, fail(connect.CodeAborted))}, want: "1 message first: resume\n1 lost aborted"},
		{name: "a job without an id", streams: []serve{say(assign(&agentedgev1.Job{}))}, want: "1 lost", errHas: "without an id"},
		{name: "no job", streams: []serve{then(works, say(assign(nil)), stay)}, want: "1 message first: resume\n1 lost", errHas: "without an id"},
		{
			name: "an id without end", streams: []serve{then(works, say(assign(&agentedgev1.Job{Id: strings.Repeat("j", 256)})), stay)},
			want: "1 message first: resume\n1 lost", errHas: "more than 255 bytes",
		},
		{
			name: "a message without end", streams: []serve{then(works, say(pause(strings.Repeat("x", 1<<20))), stay)},
			want: "1 message first: resume\n1 lost resource_exhausted\n2 message first: resume\n2 lost resource_exhausted", errHas: "larger than configured max",
		},
		{
			name: "a long reason is cut, and one line", streams: []serve{then(say(pause("up\n\x1b[31m"+strings.Repeat("x", 1<<16))), stay)},
			want: "1 message first: pause up [31m" + strings.Repeat("x", 233) + "...",
		},
		{name: "unauthenticated at the start", streams: []serve{fail(connect.CodeUnauthenticated)}, want: "1 refused unauthenticated\n2 refused unauthenticated", errHas: "so it says"},
		{name: "denied", streams: []serve{fail(connect.CodePermissionDenied)}, want: "1 refused permission_denied"},
		{name: "unimplemented", streams: []serve{fail(connect.CodeUnimplemented)}, want: "1 refused unimplemented"},
		{
			name:    "refused after it has worked: a loss until the third in a row",
			streams: []serve{works, fail(connect.CodeUnimplemented)},
			want:    "1 message first: resume\n1 ended\n2 lost unimplemented\n3 lost unimplemented\n4 refused unimplemented\n5 refused unimplemented",
		},
		{
			name: "not in a row",
			streams: []serve{
				works, fail(connect.CodeUnimplemented), fail(connect.CodeUnavailable), fail(connect.CodeUnimplemented),
				fail(connect.CodeUnimplemented), works, fail(connect.CodeUnimplemented),
			},
			want: "1 message first: resume\n1 ended\n2 lost unimplemented\n3 lost unavailable\n4 lost unimplemented\n5 lost unimplemented\n" +
				"6 message first: resume\n6 ended\n7 lost unimplemented\n8 lost unimplemented\n9 refused unimplemented",
		},
	}
	for _, protocol := range []struct {
		name   string
		change []bedOption
	}{{"HTTP2", nil}, {"HTTP1", []bedOption{http1}}} {
		for _, row := range rows {
			t.Run(protocol.name+"/"+row.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, handler := newEdge(row.streams...)
					stream := run(t, newBed(t, handler, protocol.change...).register(t), transport.StreamOptions{})
					count := strings.Count(row.want, "\n") + 1
					events := stream.until(t, count)[:count]
					if got := lines(events); got != row.want {
						t.Errorf("got\n%s\nwant\n%s", got, row.want)
					}
					if last := events[count-1]; row.errHas != "" && (last.Err == nil || !strings.Contains(last.Err.Error(), row.errHas)) {
						t.Errorf("the last one is for %v, want %q", last.Err, row.errHas)
					}
					for _, event := range events {
						if gone := event.Kind == transport.StreamLost || event.Kind == transport.StreamRefused; gone != (event.Err != nil) {
							t.Errorf("%s: %v", event, event.Err)
						}
					}
				})
			})
		}
	}
}

// TestStreamAnswers shows what plain HTTP answers mean for the stream.
func TestStreamAnswers(t *testing.T) {
	rows := []struct {
		name   string
		answer http.HandlerFunc
		want   string
	}{
		{"400", reply(400, ""), "1 lost internal"},
		{"401", reply(401, ""), "1 refused unauthenticated"},
		{"403", reply(403, ""), "1 refused permission_denied"},
		{"404", reply(404, ""), "1 refused unimplemented"},
		{"429", reply(429, ""), "1 lost unavailable"},
		{"500", reply(500, ""), "1 lost unknown"},
		{"502", reply(502, ""), "1 lost unavailable"},
		{"504", reply(504, ""), "1 lost unavailable"},
		{"a page", reply(200, "<html>log in</html>"), "1 lost unknown"},
		{"a redirect to a login", reply(302, "", "Location", "/login"), "1 lost unknown"},
		{"cut off", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "1 lost"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				mux := http.NewServeMux()
				mux.HandleFunc(procedure, row.answer)
				stream := run(t, newBed(t, registering(mux)).register(t), transport.StreamOptions{})
				if got := stream.until(t, 1)[0]; !strings.HasPrefix(got.String(), row.want) {
					t.Errorf("got %s (%v), want %s", got, got.Err, row.want)
				}
			})
		})
	}
}

// TestLocalDeadline shows that a deadline which passed on this side of the wire
// is no plan of the control plane.
func TestLocalDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, handler := newEdge(then(say(resume()), stay))
		bed := newBed(t, handler)
		stream := run(t, bed.register(t), transport.StreamOptions{})
		stream.until(t, 1)
		bed.network.Expire.Store(true)
		bed.network.Cut()
		if got := stream.until(t, 2)[1]; got.String() != "1 lost deadline_exceeded" {
			t.Errorf("got %s: %v", got, got.Err)
		}
	})
}

// TestStreamRequest shows what a stream puts on the wire, whatever the path of
// the endpoint.
func TestStreamRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, streams := newEdge(stay)
		mux := http.NewServeMux()
		mux.Handle("/", streams)
		mux.Handle("/behind/v3/register", reply(200, registerAnswer))
		bed := newBed(t, mux, withEndpoint("http://control.test/behind/v3"), withHeaders(http.Header{"Buildkite-Cell": {"7"}}))
		stream := run(t, bed.register(t), transport.StreamOptions{})
		time.Sleep(time.Second)
		synctest.Wait()
		stream.stop()
		if service.count() != 1 || service.agents[0] != workerID {
			t.Fatalf("%d streams, of %v", service.count(), service.agents)
		}
		for name, want := range map[string]string{
			"Authorization": "Token " + sessionToken, "User-Agent": "agent/1", "Content-Type": "application/grpc",
			"Buildkite-Cell": "7", "Buildkite-Timeout-Milliseconds": "", "Grpc-Timeout": "", "Te": "trailers",
		} {
			if got := strings.Join(service.headers[0].Values(name), "|"); got != want {
				t.Errorf("%s: %q, want %q", name, got, want)
			}
		}
	})
}

// TestStreamTime shows when a stream is lost for want of life, and what is not
// cut.
func TestStreamTime(t *testing.T) {
	minutely := then(say(resume()), repeat(1000, then(wait(time.Minute), say(resume()))))
	silentAfterOne := then(say(resume()), stay)
	announce := func(seconds string, next serve) serve {
		return func(ctx context.Context, out *streamOut) error {
			out.ResponseHeader().Set(wire.HeaderKeepAlive, seconds)
			return next(ctx, out)
		}
	}
	const first = 100 * time.Millisecond // within which a stream opens
	rows := []struct {
		name        string
		stream      serve
		change      []bedOption
		options     transport.StreamOptions
		least, most time.Duration // when it is lost; zero: never
		errHas      string
	}{
		{name: "a stream lives for hours on a message a minute", stream: minutely},
		{name: "and over HTTP/1.1", stream: minutely, change: []bedOption{http1}},
		{name: "silence is no loss over HTTP/2, which answers PING", stream: silentAfterOne},
		{
			name: "silence beyond the configured limit", stream: silentAfterOne, options: transport.StreamOptions{SilenceLimit: 90 * time.Second},
			least: 90 * time.Second, most: 90*time.Second + first, errHas: "became silent: no message for 1m30s",
		},
		{name: "no silence beyond it", stream: minutely, options: transport.StreamOptions{SilenceLimit: 90 * time.Second}},
		{
			name: "silence beyond what is announced", stream: announce("20", silentAfterOne),
			least: 50 * time.Second, most: 50*time.Second + first, errHas: "no message for 50s",
		},
		{
			name: "what is configured holds against what is announced", stream: announce("20", silentAfterOne),
			options: transport.StreamOptions{SilenceLimit: 90 * time.Second}, least: 90 * time.Second, most: 90*time.Second + first,
		},
		{name: "off means off", stream: announce("20", silentAfterOne), options: transport.StreamOptions{SilenceLimit: -1}},
		{
			name: "silence over HTTP/1.1, which has no PING", stream: silentAfterOne, change: []bedOption{http1},
			least: 150 * time.Second, most: 150*time.Second + first, errHas: "no message for 2m30s",
		},
		{name: "never a message", stream: stay, least: time.Minute, most: time.Minute + first, errHas: "never sent a message: no message within 1m0s"},
		{
			name: "never a message, and a limit below that", stream: stay, options: transport.StreamOptions{SilenceLimit: 20 * time.Second},
			least: 20 * time.Second, most: 20*time.Second + first, errHas: "within 20s",
		},
		{name: "a late first message counts", stream: then(wait(59*time.Second), say(resume()), stay)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service, handler := newEdge(row.stream)
				stream := run(t, newBed(t, handler, row.change...).register(t), row.options)
				time.Sleep(10 * time.Minute)
				var gone *stamped
				for _, event := range stream.all() {
					if event.Kind != transport.StreamMessage {
						gone = &event
						break
					}
				}
				switch {
				case row.least == 0 && gone != nil:
					t.Errorf("%s at %s: %v", gone, gone.at, gone.Err)
				case row.least == 0 && service.count() != 1:
					t.Errorf("%d streams", service.count())
				case row.least == 0:
				case gone == nil || gone.Kind != transport.StreamLost || gone.at < row.least || gone.at > row.most:
					t.Errorf("got %v, want a loss between %s and %s", gone, row.least, row.most)
				case !strings.Contains(gone.Err.Error(), row.errHas):
					t.Errorf("lost for %v, want %q", gone.Err, row.errHas)
				}
			})
		})
	}
}

// TestBlackHole shows that a connection whose packets vanish is noticed within
// fifteen seconds of its last one, and that the stream comes back when they no
// longer vanish.
func TestBlackHole(t *testing.T) {
	rows := []struct {
		name   string
		change []bedOption
	}{
		{"without TLS", nil},
		{"with TLS", []bedOption{withTLS(t)}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service, handler := newEdge(then(say(resume()), stay))
				bed := newBed(t, handler, row.change...)
				stream := run(t, bed.register(t), transport.StreamOptions{})
				time.Sleep(42 * time.Second)
				if over := service.over(); over != "HTTP/2.0" {
					t.Fatalf("over %s", over)
				}
				bed.network.Dark.Store(true)
				bed.network.Hang.Store(true)
				dark := time.Since(stream.started)
				gone := stream.until(t, 2)[1]
				if after := gone.at - dark; gone.Kind != transport.StreamLost || after > 15*time.Second {
					t.Errorf("%s after %s: %v", gone, after, gone.Err)
				}
				time.Sleep(time.Minute)
				bed.network.Dark.Store(false)
				bed.network.Hang.Store(false)
				next := len(stream.all()) // an attempt into the dark may be lost yet
				for stream.until(t, next+1)[next].Kind != transport.StreamMessage {
					next++
				}
			})
		})
	}
}

// TestStreamPace shows the moments of reconnects from outside; the pacer's own
// tests have the rules.
func TestStreamPace(t *testing.T) {
	works := say(resume())
	rows := []struct {
		name        string
		streams     []serve
		answer      http.HandlerFunc // instead of streams
		event       int              // the one before the pause
		least, most time.Duration    // of the pause
	}{
		{name: "the first attempt", streams: []serve{then(works, stay)}, event: -1, most: 100 * time.Millisecond},
		{name: "after a planned end", streams: []serve{then(works, wait(time.Minute)), then(works, stay)}, event: 1, most: time.Second},
		{name: "after a loss", streams: []serve{then(works, wait(time.Minute), fail(connect.CodeInternal)), then(works, stay)}, event: 1, most: time.Second},
		{name: "after a failed attempt", streams: []serve{fail(connect.CodeUnavailable)}, event: 0, most: 10100 * time.Millisecond},
		{name: "after a refusal", streams: []serve{fail(connect.CodeUnimplemented)}, event: 0, least: 8 * time.Minute, most: 12 * time.Minute},
		{
			name: "as a status asks for", answer: reply(503, "", "Retry-After", "300"), event: 0,
			least: 300 * time.Second, most: 310 * time.Second,
		},
		{
			name: "as trailers ask for", event: 0, least: 300 * time.Second, most: 310 * time.Second,
			streams: []serve{func(context.Context, *streamOut) error {
				err := connect.NewError(connect.CodeUnavailable, errors.New("full"))
				err.Meta().Set("Retry-After", "300")
				return err
			}},
		},
		{
			name: "as trailers ask for after a message", event: 1, least: 300 * time.Second, most: 301 * time.Second,
			streams: []serve{then(works, func(context.Context, *streamOut) error {
				err := connect.NewError(connect.CodeUnavailable, errors.New("full"))
				err.Meta().Set("Retry-After", "300")
				return err
			})},
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, handler := newEdge(row.streams...)
				if row.answer != nil {
					mux := http.NewServeMux()
					mux.HandleFunc(procedure, row.answer)
					handler = registering(mux)
				}
				stream := run(t, newBed(t, handler).register(t), transport.StreamOptions{})
				events := stream.until(t, row.event+2)
				var from time.Duration
				if row.event >= 0 {
					from = events[row.event].at
				}
				if paused := events[row.event+1].at - from; paused < row.least || paused > row.most {
					t.Errorf("after %s, want %s to %s", paused, row.least, row.most)
				}
			})
		})
	}
}

// TestPingsBringTheStreamBack shows the pacer at work: everything is down for
// a minute, and the first ping that succeeds brings the stream restored within a
// second.
func TestPingsBringTheStreamBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, handler := newEdge(then(say(resume()), stay))
		bed := newBed(t, handler)
		session := bed.register(t)
		bed.network.Refuse.Store(true)
		bed.network.Cut()
		stream := run(t, session, transport.StreamOptions{})
		session.PingFailed()
		time.Sleep(time.Minute)
		bed.network.Refuse.Store(false)
		back := time.Since(stream.started)
		session.PingSucceeded()
		time.Sleep(time.Second)
		events := stream.all()
		if last := events[len(events)-1]; last.Kind != transport.StreamMessage || last.at-back > time.Second {
			t.Errorf("got %v", events)
		}
	})
}

// TestStreamLog counts the lines: none for planned reconnects, one for a loss,
// one for a recovery, one for a refusal.
func TestStreamLog(t *testing.T) {
	planned := then(say(resume()), wait(time.Minute))
	rows := []struct {
		name    string
		streams []serve
		events  int
		want    string
	}{
		{
			"five planned reconnects, then a loss and a recovery",
			[]serve{planned, planned, planned, planned, planned, then(planned, fail(connect.CodeInternal)), fail(connect.CodeUnavailable), fail(connect.CodeUnavailable), then(say(resume()), stay)},
			15, "warn stream lost\ninfo stream restored",
		},
		{
			"two losses",
			[]serve{then(planned, fail(connect.CodeInternal)), then(planned, fail(connect.CodeInternal)), then(say(resume()), stay)},
			5, "warn stream lost\ninfo stream restored\nwarn stream lost\ninfo stream restored",
		},
		{
			"refused",
			[]serve{fail(connect.CodeUnimplemented)},
			4,
			"warn stream refused by the control plane; will retry about every ten minutes",
		},
		{
			"refused after it has worked",
			[]serve{planned, fail(connect.CodeUnimplemented), fail(connect.CodeUnimplemented), fail(connect.CodeUnimplemented), then(say(resume()), stay)},
			6,
			"warn stream lost\nwarn stream refused by the control plane; will retry about every ten minutes\ninfo stream restored",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, handler := newEdge(row.streams...)
				bed := newBed(t, handler)
				stream := run(t, bed.register(t), transport.StreamOptions{})
				stream.until(t, row.events)
				var got []string
				for _, entry := range bed.logs.All() {
					if entry.Level > zapcore.DebugLevel {
						got = append(got, entry.Level.String()+" "+entry.Message)
					}
				}
				if text := strings.Join(got, "\n"); text != row.want {
					t.Errorf("got\n%s\nwant\n%s", text, row.want)
				}
			})
		})
	}
}

// TestStreamStops shows that RunStream returns at once when its context ends,
// wherever it is, and posts nothing more.
func TestStreamStops(t *testing.T) {
	rows := []struct {
		name    string
		stream  serve
		network func(*memnet.Network)
	}{
		{name: "while messages come", stream: then(say(resume()), stay)},
		{name: "before the first message", stream: stay},
		{name: "between attempts", stream: fail(connect.CodeUnimplemented)},
		{name: "connecting", stream: stay, network: func(m *memnet.Network) { m.Hang.Store(true) }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, handler := newEdge(row.stream)
				bed := newBed(t, handler)
				session := bed.register(t)
				if row.network != nil {
					bed.network.Cut()
					row.network(bed.network)
				}
				stream := run(t, session, transport.StreamOptions{})
				time.Sleep(time.Second)
				before := len(stream.all())
				stopped := time.Now()
				stream.stop()
				if took := time.Since(stopped); took > 0 {
					t.Errorf("took %s", took)
				}
				time.Sleep(time.Minute)
				if after := len(stream.all()); after != before {
					t.Errorf("%d more events: %v", after-before, stream.all())
				}
			})
		})
	}
}

// TestEpochsGoOn shows that a second run goes on counting.
func TestEpochsGoOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, handler := newEdge(then(say(resume()), stay))
		session := newBed(t, handler).register(t)
		for want := uint64(1); want <= 3; want++ {
			stream := run(t, session, transport.StreamOptions{})
			if got := stream.until(t, 1)[0].Epoch; got != want {
				t.Errorf("epoch %d, want %d", got, want)
			}
			stream.stop()
		}
	})
}

// TestFleetSharesConnections opens two hundred streams at a server that allows
// a hundred on a connection, and pings beside them.
func TestFleetSharesConnections(t *testing.T) {
	const workers = 200
	synctest.Test(t, func(t *testing.T) {
		_, streams := newEdge(then(say(resume()), stay))
		mux := http.NewServeMux()
		mux.Handle("/", streams)
		mux.Handle("/v3/ping", reply(200, `{}`))
		bed := newBed(t, mux, func(_ *transport.Options, server *http.Server) {
			server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100}
		})
		sessions := make([]*transport.Session, workers)
		running := make([]*running, workers)
		for i := range workers {
			sessions[i] = bed.register(t)
			running[i] = run(t, sessions[i], transport.StreamOptions{})
		}
		for _, stream := range running {
			stream.until(t, 1)
		}
		for _, session := range sessions {
			if _, err := session.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if open := bed.network.Open.Load(); open < 2 || open > 6 {
			t.Errorf("%d connections for %d workers", open, workers)
		}
		for _, stream := range running {
			if events := stream.all(); len(events) != 1 {
				t.Errorf("got %v", events)
			}
		}
	})
}
