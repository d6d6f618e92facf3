package transport_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/memnet"
	"github.com/switchyard-ci/switchyard/transport"
)

// TestStreamStops shows that RunStream returns at once when its context ends, and posts
// nothing more.
func TestStreamStops(t *testing.T) {
	rows := []struct {
		name    string
		stream  serve
		network func(*memnet.Network)
	}{
		{name: "with an open stream", stream: inOrder(send(resume()), hold)},
		{name: "before the first message", stream: hold},
		{name: "between attempts", stream: failWith(connect.CodeUnimplemented)},
		{name: "connecting", stream: hold, network: func(m *memnet.Network) { m.Hang.Store(true) }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, handler := newStreamServer(row.stream)
				harness := newHarness(t, handler)
				session := harness.register(t)
				if row.network != nil {
					harness.network.Cut()
					row.network(harness.network)
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

// TestEpochsContinue shows that a second run continues the epochs of the first.
func TestEpochsContinue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, handler := newStreamServer(inOrder(send(resume()), hold))
		session := newHarness(t, handler).register(t)
		for want := uint64(1); want <= 3; want++ {
			stream := run(t, session, transport.StreamOptions{})
			if got := stream.until(t, 1)[0].Epoch; got != want {
				t.Errorf("epoch %d, want %d", got, want)
			}
			stream.stop()
		}
	})
}

// TestFleetSharesConnections opens two hundred streams to a server that allows a hundred
// on a connection, and pings meanwhile.
func TestFleetSharesConnections(t *testing.T) {
	const workers = 200
	synctest.Test(t, func(t *testing.T) {
		_, streams := newStreamServer(inOrder(send(resume()), hold))
		mux := http.NewServeMux()
		mux.Handle("/", streams)
		mux.Handle("/v3/ping", reply(200, `{}`))
		harness := newHarness(t, mux, func(_ *transport.Options, server *http.Server) {
			server.HTTP2 = &http.HTTP2Config{MaxConcurrentStreams: 100}
		})
		sessions := make([]*transport.Session, workers)
		runs := make([]*streamRun, workers)
		for i := range workers {
			sessions[i] = harness.register(t)
			runs[i] = run(t, sessions[i], transport.StreamOptions{})
		}
		for _, stream := range runs {
			stream.until(t, 1)
		}
		for _, session := range sessions {
			if _, err := session.Ping(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if open := harness.network.Open.Load(); open < 2 || open > 6 {
			t.Errorf("%d connections for %d workers", open, workers)
		}
		for _, stream := range runs {
			if events := stream.all(); len(events) != 1 {
				t.Errorf("got %v", events)
			}
		}
	})
}
