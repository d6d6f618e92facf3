package transport_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/transport"
)

// timedEvent is an event and its time since the start of the run.
type timedEvent struct {
	transport.StreamEvent

	at time.Duration
}

func (s timedEvent) String() string {
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

// streamRun is a RunStream in progress.
type streamRun struct {
	mu      sync.Mutex
	events  []timedEvent
	started time.Time
	cancel  context.CancelFunc
	done    chan struct{}
}

func run(t *testing.T, session *transport.Session, options transport.StreamOptions) *streamRun {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r := &streamRun{started: time.Now(), cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(r.done)
		session.RunStream(ctx, options, func(event transport.StreamEvent) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.events = append(r.events, timedEvent{event, time.Since(r.started)})
		})
	}()
	t.Cleanup(r.stop)
	return r
}

// stop cancels the run and waits for its end.
func (r *streamRun) stop() {
	r.cancel()
	<-r.done
}

func (r *streamRun) all() []timedEvent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]timedEvent(nil), r.events...)
}

// until waits for that many events, in virtual time.
func (r *streamRun) until(t *testing.T, count int) []timedEvent {
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

func lines(events []timedEvent) string {
	text := make([]string, 0, len(events))
	for _, event := range events {
		text = append(text, event.String())
	}
	return strings.Join(text, "\n")
}

// TestStreamEvents shows which events each stream causes.
func TestStreamEvents(t *testing.T) {
	works := send(resume())
	rows := []struct {
		name    string
		streams []serve
		want    string // the first events
		errHas  string // of the last one
	}{
		{
			name: "the instructions",
			streams: []serve{inOrder(send(resume(), pause("upgrade"), &agentedgev1.StreamPingsResponse{}, unknownAction(),
				assign(&agentedgev1.Job{Id: "j1"}), disconnect("bye")), hold)},
			want: "1 message first: resume\n1 message: pause upgrade\n1 message: resume\n1 message: resume\n1 message: job assigned j1\n1 message: disconnect bye",
		},
		{name: "a clean end is planned", streams: []serve{works}, want: "1 message first: resume\n1 ended\n2 message first: resume\n2 ended"},
		{name: "a deadline is planned", streams: []serve{inOrder(works, failWith(connect.CodeDeadlineExceeded))}, want: "1 message first: resume\n1 ended"},
		{name: "a clean end without a message is a loss", streams: []serve{send()}, want: "1 lost\n2 lost", errHas: "without a message"},
		{name: "a deadline without a message is a loss", streams: []serve{failWith(connect.CodeDeadlineExceeded)}, want: "1 lost deadline_exceeded"},
		{name: "internal error", streams: []serve{inOrder(works, failWith(connect.CodeInternal)), works}, want: "1 message first: resume\n1 lost internal\n2 message first: resume"},
		{name: "unavailable", streams: []serve{inOrder(works, failWith(connect.CodeUnavailable))}, want: "1 message first: resume\n1 lost unavailable", errHas: "the reason"},
		{name: "superseded by another process", streams: []serve{inOrder(works, failWith(connect.CodeAborted))}, want: "1 message first: resume\n1 lost aborted"},
		{name: "a job without an ID", streams: []serve{send(assign(&agentedgev1.Job{}))}, want: "1 lost", errHas: "without an id"},
		{name: "an assignment without a job", streams: []serve{inOrder(works, send(assign(nil)), hold)}, want: "1 message first: resume\n1 lost", errHas: "without an id"},
		{
			name: "an ID that is too long", streams: []serve{inOrder(works, send(assign(&agentedgev1.Job{Id: strings.Repeat("j", 256)})), hold)},
			want: "1 message first: resume\n1 lost", errHas: "more than 255 bytes",
		},
		{
			name: "a message that is too long", streams: []serve{inOrder(works, send(pause(strings.Repeat("x", 1<<20))), hold)},
			want: "1 message first: resume\n1 lost resource_exhausted\n2 message first: resume\n2 lost resource_exhausted", errHas: "larger than configured max",
		},
		{
			name: "a long reason is cut to one line", streams: []serve{inOrder(send(pause("up\n\x1b[31m"+strings.Repeat("x", 1<<16))), hold)},
			want: "1 message first: pause up [31m" + strings.Repeat("x", 233) + "...",
		},
		{name: "unauthenticated at the start", streams: []serve{failWith(connect.CodeUnauthenticated)}, want: "1 refused unauthenticated\n2 refused unauthenticated", errHas: "the reason"},
		{name: "denied", streams: []serve{failWith(connect.CodePermissionDenied)}, want: "1 refused permission_denied"},
		{name: "unimplemented", streams: []serve{failWith(connect.CodeUnimplemented)}, want: "1 refused unimplemented"},
		{
			name:    "refused after it has worked: lost until the third in a row",
			streams: []serve{works, failWith(connect.CodeUnimplemented)},
			want:    "1 message first: resume\n1 ended\n2 lost unimplemented\n3 lost unimplemented\n4 refused unimplemented\n5 refused unimplemented",
		},
		{
			name: "refused, but not three times in a row",
			streams: []serve{
				works, failWith(connect.CodeUnimplemented), failWith(connect.CodeUnavailable), failWith(connect.CodeUnimplemented),
				failWith(connect.CodeUnimplemented), works, failWith(connect.CodeUnimplemented),
			},
			want: "1 message first: resume\n1 ended\n2 lost unimplemented\n3 lost unavailable\n4 lost unimplemented\n5 lost unimplemented\n" +
				"6 message first: resume\n6 ended\n7 lost unimplemented\n8 lost unimplemented\n9 refused unimplemented",
		},
	}
	for _, protocol := range []struct {
		name   string
		change []option
	}{{"HTTP2", nil}, {"HTTP1", []option{http1}}} {
		for _, row := range rows {
			t.Run(protocol.name+"/"+row.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					_, handler := newStreamServer(row.streams...)
					stream := run(t, newHarness(t, handler, protocol.change...).register(t), transport.StreamOptions{})
					count := strings.Count(row.want, "\n") + 1
					events := stream.until(t, count)[:count]
					if got := lines(events); got != row.want {
						t.Errorf("got\n%s\nwant\n%s", got, row.want)
					}
					if last := events[count-1]; row.errHas != "" && (last.Err == nil || !strings.Contains(last.Err.Error(), row.errHas)) {
						t.Errorf("the last error is %v, want %q", last.Err, row.errHas)
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

// TestStreamHTTPResponses shows which event each plain HTTP response causes.
func TestStreamHTTPResponses(t *testing.T) {
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
				stream := run(t, newHarness(t, registering(mux)).register(t), transport.StreamOptions{})
				if got := stream.until(t, 1)[0]; !strings.HasPrefix(got.String(), row.want) {
					t.Errorf("got %s (%v), want %s", got, got.Err, row.want)
				}
			})
		})
	}
}

// TestLocalDeadline shows that a deadline exceeded on this side is a loss, not a planned
// end.
func TestLocalDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, handler := newStreamServer(inOrder(send(resume()), hold))
		harness := newHarness(t, handler)
		stream := run(t, harness.register(t), transport.StreamOptions{})
		stream.until(t, 1)
		harness.network.Expire.Store(true)
		harness.network.Cut()
		if got := stream.until(t, 2)[1]; got.String() != "1 lost deadline_exceeded" {
			t.Errorf("got %s: %v", got, got.Err)
		}
	})
}

// TestStreamRequest shows the request of a stream; its path does not depend on that of
// the endpoint.
func TestStreamRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, streams := newStreamServer(hold)
		mux := http.NewServeMux()
		mux.Handle("/", streams)
		mux.Handle("/behind/v3/register", reply(200, registerAnswer))
		harness := newHarness(t, mux, withEndpoint("http://control.test/behind/v3"), withHeaders(http.Header{"Buildkite-Cell": {"7"}}))
		stream := run(t, harness.register(t), transport.StreamOptions{})
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
