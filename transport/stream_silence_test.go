package transport_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestStreamSilence shows how long a silent stream is trusted, and after which
// silence it is lost.
func TestStreamSilence(t *testing.T) {
	minutely := inOrder(send(resume()), repeat(1000, inOrder(wait(time.Minute), send(resume()))))
	silentAfterFirst := inOrder(send(resume()), hold)
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
		change      []option
		options     transport.StreamOptions
		trust       time.Duration // zero: not checked
		least, most time.Duration // when it is lost; zero: never
		errHas      string
	}{
		{name: "a message a minute keeps a stream open", stream: minutely},
		{name: "a message a minute keeps a stream open over HTTP/1.1", stream: minutely, change: []option{http1}},
		{name: "silence over HTTP/2, which has PING, is not a loss", stream: silentAfterFirst, trust: 150 * time.Second},
		{
			name: "silence beyond the configured limit", stream: silentAfterFirst, options: transport.StreamOptions{SilenceLimit: 90 * time.Second},
			trust: 90 * time.Second, least: 108 * time.Second, most: 108*time.Second + first, errHas: "became silent: no message for 1m48s",
		},
		{name: "silence below the configured limit", stream: minutely, options: transport.StreamOptions{SilenceLimit: 90 * time.Second}},
		{
			name: "silence beyond the announced interval", stream: announce("20", silentAfterFirst),
			trust: 50 * time.Second, least: time.Minute, most: time.Minute + first, errHas: "no message for 1m0s",
		},
		{
			name: "the configured limit overrides the announced interval", stream: announce("20", silentAfterFirst),
			options: transport.StreamOptions{SilenceLimit: 90 * time.Second}, trust: 90 * time.Second, least: 108 * time.Second, most: 108*time.Second + first,
		},
		{name: "an announced interval of hours is not believed", stream: announce("7200", silentAfterFirst), trust: 10 * time.Minute},
		{
			name: "silence over HTTP/1.1, which has no PING, is a loss", stream: silentAfterFirst, change: []option{http1},
			trust: 150 * time.Second, least: 180 * time.Second, most: 180*time.Second + first, errHas: "no message for 3m0s",
		},
		{name: "never a message", stream: hold, least: time.Minute, most: time.Minute + first, errHas: "never sent a message: no message within 1m0s"},
		{
			name: "never a message, with a shorter limit", stream: hold, options: transport.StreamOptions{SilenceLimit: 20 * time.Second},
			least: 20 * time.Second, most: 20*time.Second + first, errHas: "within 20s",
		},
		{name: "a late first message counts", stream: inOrder(wait(59*time.Second), send(resume()), hold)},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service, handler := newStreamServer(row.stream)
				stream := run(t, newHarness(t, handler, row.change...).register(t), row.options)
				time.Sleep(10 * time.Minute)
				if events := stream.all(); row.trust != 0 && events[0].Trust != row.trust {
					t.Errorf("trusted for %v, want %v", events[0].Trust, row.trust)
				}
				var gone *timedEvent
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

// TestBlackHole shows that a connection that loses all packets is closed within fifteen
// seconds, and that the stream is restored when the packets arrive again.
func TestBlackHole(t *testing.T) {
	rows := []struct {
		name   string
		change []option
	}{
		{"without TLS", nil},
		{"with TLS", []option{withTLS(t)}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				service, handler := newStreamServer(inOrder(send(resume()), hold))
				harness := newHarness(t, handler, row.change...)
				stream := run(t, harness.register(t), transport.StreamOptions{})
				time.Sleep(42 * time.Second)
				if over := service.protocols(); over != "HTTP/2.0" {
					t.Fatalf("over %s", over)
				}
				harness.network.Dark.Store(true)
				harness.network.Hang.Store(true)
				dark := time.Since(stream.started)
				gone := stream.until(t, 2)[1]
				if after := gone.at - dark; gone.Kind != transport.StreamLost || after > 15*time.Second {
					t.Errorf("%s after %s: %v", gone, after, gone.Err)
				}
				time.Sleep(time.Minute)
				harness.network.Dark.Store(false)
				harness.network.Hang.Store(false)
				next := len(stream.all()) // an attempt from before may still fail
				for stream.until(t, next+1)[next].Kind != transport.StreamMessage {
					next++
				}
			})
		})
	}
}
