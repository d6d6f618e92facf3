package transport_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/transport"
)

// middle is a proxy that records the protocol of each stream.
type middle struct {
	next         http.Handler
	dropTrailers bool
	refuses      string // the content type of requests that it refuses

	mu    sync.Mutex
	asked []string
}

func (m *middle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasSuffix(r.URL.Path, "/StreamPings") {
		m.next.ServeHTTP(w, r)
		return
	}
	kind := strings.TrimPrefix(strings.TrimPrefix(r.Header.Get("Content-Type"), "application/"), "connect+")
	m.mu.Lock()
	m.asked = append(m.asked, kind)
	m.mu.Unlock()
	if m.refuses == kind {
		w.WriteHeader(http.StatusUnsupportedMediaType)
		return
	}
	m.next.ServeHTTP(w, r)
	if !m.dropTrailers {
		return
	}
	for name := range w.Header() {
		if strings.HasPrefix(name, http.TrailerPrefix) {
			w.Header().Del(name)
		}
	}
}

// TestStreamProtocol shows which protocol streams use, how they end, and what is logged
// about it.
func TestStreamProtocol(t *testing.T) {
	planned := inOrder(send(resume()), wait(time.Minute), failWith(connect.CodeDeadlineExceeded))
	const (
		toConnect = "a proxy drops HTTP trailers, which gRPC needs; streams use the Connect protocol from now on"
		toGRPC    = "streams are not served in the Connect protocol either; they use gRPC again"
	)
	rows := []struct {
		name     string
		protocol transport.StreamProtocol
		middle   middle
		change   []option
		asked    string   // of four streams
		events   string   // the ends of the first three
		says     []string // about the protocol
	}{
		{name: "no proxy", asked: "grpc grpc grpc grpc", events: "ended ended ended"},
		{name: "no proxy, over HTTP/1.1", change: []option{http1}, asked: "grpc grpc grpc grpc", events: "ended ended ended"},
		{
			name: "trailers are dropped", middle: middle{dropTrailers: true},
			asked: "grpc proto proto proto", events: "lost ended ended", says: []string{toConnect},
		},
		{
			name: "trailers are dropped over HTTP/1.1", middle: middle{dropTrailers: true}, change: []option{http1},
			asked: "grpc proto proto proto", events: "lost ended ended", says: []string{toConnect},
		},
		{
			name: "trailers are dropped, and Connect is not served", middle: middle{dropTrailers: true, refuses: "proto"},
			asked: "grpc proto grpc grpc", events: "lost lost lost", says: []string{toConnect, toGRPC},
		},
		{
			name: "gRPC is configured", protocol: transport.StreamGRPC, middle: middle{dropTrailers: true},
			asked: "grpc grpc grpc grpc", events: "lost lost lost",
		},
		{name: "Connect is configured", protocol: transport.StreamConnect, asked: "proto proto proto proto", events: "ended ended ended"},
	}
	for i := range rows {
		row := &rows[i]
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				_, row.middle.next = newStreamServer(planned)
				harness := newHarness(t, &row.middle, row.change...)
				stream := run(t, harness.register(t), transport.StreamOptions{Protocol: row.protocol})
				var ends []string
				for len(ends) < 3 {
					time.Sleep(time.Second)
					ends = nil
					for _, event := range stream.all() {
						if event.Kind != transport.StreamMessage {
							ends = append(ends, event.Kind.String())
						}
					}
				}
				time.Sleep(2 * time.Minute) // for the fourth
				row.middle.mu.Lock()
				defer row.middle.mu.Unlock()
				if asked := strings.Join(row.middle.asked, " "); !strings.HasPrefix(asked, row.asked) {
					t.Errorf("asked for %s, want %s", asked, row.asked)
				}
				if got := strings.Join(ends[:3], " "); got != row.events {
					t.Errorf("got %s, want %s", got, row.events)
				}
				var says []string
				for _, entry := range harness.logs.All() {
					if strings.Contains(entry.Message, "Connect protocol") {
						says = append(says, entry.Message)
					}
				}
				if strings.Join(says, "\n") != strings.Join(row.says, "\n") {
					t.Errorf("said %q, want %q", says, row.says)
				}
			})
		})
	}
}

func TestParseStreamProtocol(t *testing.T) {
	t.Parallel()
	for _, p := range []transport.StreamProtocol{transport.StreamAuto, transport.StreamGRPC, transport.StreamConnect} {
		if again, err := transport.ParseStreamProtocol(p.String()); err != nil || again != p {
			t.Errorf("%v is read as %v, %v", p, again, err)
		}
	}
	if _, err := transport.ParseStreamProtocol("grpc-web"); err == nil || !strings.Contains(err.Error(), "auto, grpc or connect") {
		t.Errorf("grpc-web: %v", err)
	}
}
