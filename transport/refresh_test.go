package transport_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/transport"
)

// TestRefreshStream shows which responses to a ping make RefreshStream open the stream
// again: those that change its headers or its host.
func TestRefreshStream(t *testing.T) {
	healthy, silent := inOrder(send(resume()), hold), serve(hold)
	const same, another = `{"request_headers":{"Buildkite-Cell":"7"}}`, `{"request_headers":{"Buildkite-Cell":"8"}}`
	rows := []struct {
		name   string
		stream serve
		answer string
		want   string // the events after the ping, empty for none
		cell   string // the header of the next stream
	}{
		{"no headers", healthy, `{}`, "", ""},
		{"null", healthy, `{"request_headers":null}`, "", ""},
		{"the same", healthy, same, "", ""},
		{"the same and some that are not sent", healthy, `{"request_headers":{"Buildkite-Cell":"7","X-Other":"1"}}`, "", ""},
		{"another value", healthy, another, "1 ended\n2 message first: resume", "8"},
		{"cleared", healthy, `{"request_headers":{}}`, "1 ended\n2 message first: resume", ""},
		{"another endpoint on that host", healthy, `{"endpoint":"http://control.test/v4"}`, "", ""},
		{"another host", healthy, `{"endpoint":"http://new.test/v3"}`, "1 ended\n2 message first: resume", "7"},
		{"another value, before the first message", silent, another, "1 lost\n2 message first: resume", "8"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service, streams := newStreamServer(row.stream, healthy)
				mux := http.NewServeMux()
				mux.Handle("/", streams)
				mux.Handle("/v3/ping", reply(200, row.answer))
				mux.Handle("/v4/ping", reply(200, `{}`))
				mux.Handle("new.test/v3/ping", reply(200, `{}`))
				session := newHarness(t, mux, withHeaders(http.Header{"Buildkite-Cell": {"7"}})).register(t)
				session.RefreshStream() // without a stream it does nothing
				stream := run(t, session, transport.StreamOptions{})
				time.Sleep(5 * time.Second)
				before := len(stream.all())
				if _, err := session.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				if got := stream.all()[before:]; len(got) > 0 {
					t.Fatalf("before RefreshStream: %s", lines(got))
				}
				session.RefreshStream()
				session.RefreshStream() // the second call does nothing
				time.Sleep(1100 * time.Millisecond)
				synctest.Wait()
				if got := lines(stream.all()[before:]); got != row.want {
					t.Fatalf("got\n%s\nwant\n%s", got, row.want)
				}
				if row.want == "" {
					return
				}
				if got := service.headers[1].Get("Buildkite-Cell"); got != row.cell {
					t.Errorf("opened again with %q, want %q", got, row.cell)
				}
			})
		})
	}
}

// TestRefreshIsNotAFailure shows that refreshed streams do not delay the next attempt, not
// even several in a row.
func TestRefreshIsNotAFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, streams := newStreamServer(func(ctx context.Context, _ *streamOut) error { return hold(ctx, nil) })
		mux := http.NewServeMux()
		mux.Handle("/", streams)
		cells := &script{steps: []http.HandlerFunc{
			reply(200, `{"request_headers":{"Buildkite-Cell":"1"}}`), reply(200, `{"request_headers":{"Buildkite-Cell":"2"}}`),
			reply(200, `{"request_headers":{"Buildkite-Cell":"3"}}`), reply(200, `{"request_headers":{"Buildkite-Cell":"4"}}`),
		}}
		mux.Handle("/v3/ping", cells)
		session := newHarness(t, mux).register(t)
		stream := run(t, session, transport.StreamOptions{})
		for range 4 {
			time.Sleep(1100 * time.Millisecond)
			if _, err := session.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
			session.RefreshStream()
		}
		time.Sleep(1100 * time.Millisecond)
		synctest.Wait()
		if service.count() != 5 || len(stream.all()) != 4 {
			t.Errorf("%d streams, and %s", service.count(), lines(stream.all()))
		}
	})
}
