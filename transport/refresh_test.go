package transport_test

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/transport"
)

// TestRefreshStream shows when a ping's answer has the stream opened anew: when
// what it changes matters to the stream, and not before it is told to.
func TestRefreshStream(t *testing.T) {
	spoken, mute := then(say(resume()), stay), serve(stay)
	const same, another = `{"request_headers":{"Buildkite-Cell":"7"}}`, `{"request_headers":{"Buildkite-Cell":"8"}}`
	rows := []struct {
		name   string
		stream serve
		answer string
		want   string // the events after the ping, empty for none
		cell   string // what the next stream carries
	}{
		{"nothing is said of headers", spoken, `{}`, "", ""},
		{"null", spoken, `{"request_headers":null}`, "", ""},
		{"the same", spoken, same, "", ""},
		{"the same beside some that are not sent", spoken, `{"request_headers":{"Buildkite-Cell":"7","X-Other":"1"}}`, "", ""},
		{"another value", spoken, another, "1 ended\n2 message first: resume", "8"},
		{"cleared", spoken, `{"request_headers":{}}`, "1 ended\n2 message first: resume", ""},
		{"another endpoint on that host", spoken, `{"endpoint":"http://control.test/v4"}`, "", ""},
		{"another host", spoken, `{"endpoint":"http://new.test/v3"}`, "1 ended\n2 message first: resume", "7"},
		{"another value, before the stream has spoken", mute, another, "1 lost\n2 message first: resume", "8"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service, streams := newEdge(row.stream, spoken)
				mux := http.NewServeMux()
				mux.Handle("/", streams)
				mux.Handle("/v3/ping", reply(200, row.answer))
				mux.Handle("/v4/ping", reply(200, `{}`))
				mux.Handle("new.test/v3/ping", reply(200, `{}`))
				session := newBed(t, mux, withHeaders(http.Header{"Buildkite-Cell": {"7"}})).register(t)
				session.RefreshStream() // of no stream: nothing
				stream := run(t, session, transport.StreamOptions{})
				time.Sleep(5 * time.Second)
				before := len(stream.all())
				if _, err := session.Ping(t.Context()); err != nil {
					t.Fatal(err)
				}
				time.Sleep(5 * time.Second)
				if got := stream.all()[before:]; len(got) > 0 {
					t.Fatalf("before it was told to: %s", lines(got))
				}
				session.RefreshStream()
				session.RefreshStream() // once is enough
				time.Sleep(1100 * time.Millisecond)
				synctest.Wait()
				if got := lines(stream.all()[before:]); got != row.want {
					t.Fatalf("got\n%s\nwant\n%s", got, row.want)
				}
				if row.want == "" {
					return
				}
				if got := service.headers[1].Get("Buildkite-Cell"); got != row.cell {
					t.Errorf("opened anew with %q, want %q", got, row.cell)
				}
			})
		})
	}
}

// TestRefreshIsNoFailure shows that streams which are ended for others do not
// make the pacer wait, however many they are.
func TestRefreshIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		service, streams := newEdge(func(ctx context.Context, _ *streamOut) error { return stay(ctx, nil) })
		mux := http.NewServeMux()
		mux.Handle("/", streams)
		cells := &script{steps: []http.HandlerFunc{
			reply(200, `{"request_headers":{"Buildkite-Cell":"1"}}`), reply(200, `{"request_headers":{"Buildkite-Cell":"2"}}`),
			reply(200, `{"request_headers":{"Buildkite-Cell":"3"}}`), reply(200, `{"request_headers":{"Buildkite-Cell":"4"}}`),
		}}
		mux.Handle("/v3/ping", cells)
		session := newBed(t, mux).register(t)
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
