package controlplane

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
)

// pipeListener is a listener whose connections are pipes in memory, for tests in
// virtual time.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		return conn, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	close(l.closed)
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

func (l *pipeListener) dial() net.Conn {
	client, server := net.Pipe()
	l.conns <- server
	return client
}

// servePiped serves a handler with the settings of newHTTPServer on pipes until the
// test ends.
func servePiped(t *testing.T, handler http.Handler) *pipeListener {
	t.Helper()
	ln := newPipeListener()
	server := newHTTPServer(handler, mostConnections, zap.NewNop())
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving ended with %v", err)
		}
	})
	return ln
}

// Each way of being slow has a time limit, after which the connection is closed.
func TestSlowPeersAreClosed(t *testing.T) {
	t.Parallel()
	const head = "POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n"
	for _, row := range []struct {
		name, sends string
		after       time.Duration
	}{
		{"sends nothing", "", readHeaderTimeout},
		{"stops in its headers", fmt.Sprintf(head, "call"), readHeaderTimeout},
		{"stops in its body", fmt.Sprintf(head, "call") + "\r\nhello", requestTimeout},
		{"idle after its request", "GET /quick HTTP/1.1\r\nHost: x\r\n\r\n", idleTimeout},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ln := servePiped(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					_, _ = io.Copy(io.Discard, r.Body)
				}))
				began := time.Now()
				conn := ln.dial()
				defer conn.Close()
				if _, err := io.WriteString(conn, row.sends); err != nil {
					t.Fatal(err)
				}
				_, err := io.Copy(io.Discard, conn)
				if lasted := time.Since(began); err != nil || lasted < row.after || lasted > row.after+time.Second {
					t.Errorf("closed after %v (%v), want %v", lasted, err, row.after)
				}
			})
		})
	}
}

// A stream may last longer than the time limit of a request.
func TestStreamsHaveNoRequestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const lasts = 30 * time.Minute
		handler := longLived(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			for range lasts / time.Minute {
				time.Sleep(time.Minute)
				_, _ = io.WriteString(w, "x")
				w.(http.Flusher).Flush()
			}
		}))
		conn := servePiped(t, handler).dial()
		defer conn.Close()
		began := time.Now()
		if _, err := io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil || len(body) != int(lasts/time.Minute) || time.Since(began) < lasts {
			t.Errorf("%d messages in %v (%v), want one a minute for %v", len(body), time.Since(began), err, lasts)
		}
	})
}

// A stream whose peer does not read is closed when a write has timed out, and not
// before: between writes a stream may be quiet.
func TestStreamWriteTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const quiet = time.Hour
		failed := make(chan struct{})
		handler := longLived(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(quiet)
			var err error
			for err == nil {
				_, err = io.WriteString(w, strings.Repeat("x", 1<<10))
				w.(http.Flusher).Flush()
			}
			close(failed)
		}))
		conn := servePiped(t, handler).dial()
		defer conn.Close()
		began := time.Now()
		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-failed
		if lasted := time.Since(began); lasted < quiet+streamWriteTimeout || lasted > quiet+2*streamWriteTimeout {
			t.Errorf("closed after %v, want %v after the hour of quiet", lasted, streamWriteTimeout)
		}
	})
}

func TestStreamsEndWhenTheServerCloses(t *testing.T) {
	t.Parallel()
	closing, beginClosing := context.WithCancel(t.Context())
	ended := make(chan struct{})
	handler := untilClosing(closing, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		beginClosing()
		<-r.Context().Done()
		close(ended)
	}))
	handler.ServeHTTP(nil, (&http.Request{}).WithContext(t.Context()))
	<-ended
}

// A connection without a request does not delay the shutdown.
func TestShutdownDoesNotWaitForUnusedConnections(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ln := newPipeListener()
		server := newHTTPServer(http.NotFoundHandler(), mostConnections, zap.NewNop())
		served := make(chan error, 1)
		go func() { served <- server.Serve(ln) }()
		conn := ln.dial()
		defer conn.Close()
		synctest.Wait() // the server has accepted it
		began := time.Now()
		if err := server.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		if lasted := time.Since(began); lasted > time.Second {
			t.Errorf("the shutdown took %v", lasted)
		}
		<-served
	})
}

// deadlines is a response that counts the deadlines that are set.
type deadlines struct {
	http.ResponseWriter

	set, cleared int
}

func (d *deadlines) SetWriteDeadline(at time.Time) error {
	if at.IsZero() {
		d.cleared++
	} else {
		d.set++
	}
	return nil
}

func (*deadlines) FlushError() error { return nil }

// Each deadline is work for the connection that thousands of streams share: a message of
// several writes has one.
func TestAMessageHasOneDeadline(t *testing.T) {
	t.Parallel()
	counted := &deadlines{ResponseWriter: httptest.NewRecorder()}
	w := &boundedWriter{ResponseWriter: counted, control: http.NewResponseController(counted), timeout: time.Second}
	for range 3 {
		for _, part := range []string{"prefix", "message"} {
			if _, err := io.WriteString(w, part); err != nil {
				t.Fatal(err)
			}
		}
		w.Flush()
	}
	w.Flush() // of headers alone
	if counted.set != 4 || counted.cleared != 4 {
		t.Errorf("%d deadlines set and %d cleared, want 4 of each", counted.set, counted.cleared)
	}
}
