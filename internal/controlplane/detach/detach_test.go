package detach_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"runtime"
	"runtime/metrics"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"go.uber.org/goleak"

	"github.com/switchyard-ci/switchyard/internal/controlplane/detach"
	"github.com/switchyard-ci/switchyard/internal/memnet"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server serves a handler over a network in memory, the requests of /detached with a
// detach.Response.
type server struct {
	http.Server

	client *http.Client
}

// serve starts a server, which ends with the test. It is called in a bubble.
func serve(t *testing.T, protocols *http.Protocols, handler http.HandlerFunc) *server {
	t.Helper()
	network := memnet.New()
	transport := &http.Transport{DialContext: network.DialContext, Protocols: protocols}
	s := &server{client: &http.Client{Transport: transport}}
	s.Handler = detach.Handler(handler, func(r *http.Request) bool { return r.URL.Path == "/detached" })
	s.Protocols = protocols
	served := make(chan error, 1)
	go func() { served <- s.Serve(network) }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("closing the server: %v", err)
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			t.Errorf("serving: %v", err)
		}
		transport.CloseIdleConnections()
	})
	return s
}

// get requests a path and reads the whole response.
func (s *server) get(ctx context.Context, path string) (status int, header http.Header, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://example.com"+path, http.NoBody)
	if err != nil {
		return 0, nil, "", err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, string(text), err
}

// overBoth runs a test over HTTP/1.1 and HTTP/2.
func overBoth(t *testing.T, test func(t *testing.T, protocols *http.Protocols)) {
	t.Helper()
	for name, protocols := range map[string]*http.Protocols{"HTTP/1.1": http1(), "HTTP/2": http2()} {
		t.Run(name, func(t *testing.T) { test(t, protocols) })
	}
}

func http1() *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(true)
	return p
}

func http2() *http.Protocols {
	p := new(http.Protocols)
	p.SetUnencryptedHTTP2(true)
	return p
}

// A response that goes on has nothing of what its handlers write on their way back, and
// ends with End.
func TestContinue(t *testing.T) {
	overBoth(t, func(t *testing.T, protocols *http.Protocols) {
		synctest.Test(t, func(t *testing.T) {
			opened, ended := make(chan *detach.Response, 1), make(chan struct{})
			s := serve(t, protocols, func(w http.ResponseWriter, _ *http.Request) {
				d := detach.Of(struct{ http.ResponseWriter }{w}) // without Unwrap
				if d != nil {
					t.Error("Of found a response through a writer that hides it")
				}
				d = detach.Of(w)
				d.AtEnd(func() { close(ended) })
				d.Header().Set("X-Before", "kept")
				d.Continue(func() { opened <- d }, func() {})
				d.Header().Set("X-After", "dropped")
				d.WriteHeader(http.StatusTeapot)
				_, _ = d.Write([]byte("dropped\n"))
				d.Flush()
			})
			go func() {
				d := <-opened
				for _, line := range []string{"one\n", "two\n"} {
					if _, err := d.Write([]byte(line)); err != nil || d.FlushError() != nil {
						t.Errorf("writing %q failed: %v", line, err)
					}
				}
				synctest.Wait()
				select {
				case <-ended:
					t.Error("the response ended before End")
				default:
				}
				d.End()
			}()
			status, header, body, err := s.get(t.Context(), "/detached")
			if body != "one\ntwo\n" || err != nil || status != http.StatusOK {
				t.Errorf("received %q with status %d and error %v", body, status, err)
			}
			if header.Get("X-Before") != "kept" || header.Get("X-After") != "" {
				t.Errorf("received the header %v", header)
			}
			<-ended
		})
	})
}

// A handler that does not continue ends its response, and requests that do not match are
// served as they are.
func TestNotContinued(t *testing.T) {
	overBoth(t, func(t *testing.T, protocols *http.Protocols) {
		synctest.Test(t, func(t *testing.T) {
			ended := make(chan struct{}, 1)
			s := serve(t, protocols, func(w http.ResponseWriter, _ *http.Request) {
				if d := detach.Of(w); d != nil {
					d.AtEnd(func() { ended <- struct{}{} })
				} else {
					w.Header().Set("X-Plain", "1")
				}
				w.WriteHeader(http.StatusTeapot)
			})
			for path, plain := range map[string]string{"/detached": "", "/other": "1"} {
				status, header, _, err := s.get(t.Context(), path)
				if err != nil || status != http.StatusTeapot || header.Get("X-Plain") != plain {
					t.Errorf("%s: status %d, header %v, error %v", path, status, header, err)
				}
			}
			<-ended
		})
	})
}

// When the client goes, gone is called once, whether that is before or after the
// handlers have returned.
func TestGone(t *testing.T) {
	overBoth(t, func(t *testing.T, protocols *http.Protocols) {
		for name, early := range map[string]bool{"before the handlers return": true, "after": false} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { testGone(t, protocols, early) })
			})
		}
	})
}

func testGone(t *testing.T, protocols *http.Protocols, early bool) {
	t.Helper()
	var calls atomic.Int32
	gone, began := make(chan bool, 2), make(chan *detach.Response, 1)
	s := serve(t, protocols, func(w http.ResponseWriter, r *http.Request) {
		d := detach.Of(w)
		d.Continue(func() { began <- d }, func() {
			calls.Add(1)
			gone <- d.Left()
		})
		if early {
			<-r.Context().Done()
		}
	})
	failed := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		_, _, _, err := s.get(ctx, "/detached")
		failed <- err
	}()
	synctest.Wait() // until the handler waits, or has returned
	if returned := len(began) == 1; returned == early {
		t.Errorf("the handlers have returned: %v", returned)
	}
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Errorf("the request failed with %v", err)
	}
	d := <-began
	if !<-gone {
		t.Error("Left is false when the client has gone")
	}
	d.End()
	synctest.Wait()
	if n := calls.Load(); n != 1 {
		t.Errorf("gone was called %d times", n)
	}
}

// A handler or a writer that panics breaks its own request, and net/http logs it with its
// place.
func TestPanic(t *testing.T) {
	overBoth(t, func(t *testing.T, protocols *http.Protocols) {
		for name, row := range map[string]struct {
			with   any
			later  bool // after the handlers have returned
			logged string
		}{
			"with http.ErrAbortHandler":        {http.ErrAbortHandler, false, ""},
			"with another value":               {"broken handler", false, "detach_test.go"},
			"with http.ErrAbortHandler, later": {http.ErrAbortHandler, true, ""},
			"with another value, later":        {"broken writer", true, "detach_test.go"},
		} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					var logged lockedBuffer
					s := serve(t, protocols, func(w http.ResponseWriter, _ *http.Request) {
						fail := func() { panic(row.with) }
						if !row.later {
							fail()
						}
						d := detach.Of(w)
						d.Continue(func() { go d.Do(fail) }, func() {})
					})
					s.ErrorLog = logged.logger()
					if _, _, _, err := s.get(t.Context(), "/detached"); err == nil {
						t.Error("the request succeeded")
					}
					synctest.Wait() // HTTP/2 resets the stream before it logs
					if got := logged.String(); !strings.Contains(got, row.logged) || row.logged == "" && got != "" {
						t.Errorf("the log has %q", got)
					}
				})
			})
		}
	})
}

// BenchmarkWaiting reports how much stack a response holds while it waits, after handlers
// that needed some: detached, and in its handler.
func BenchmarkWaiting(b *testing.B) {
	const responses = 10_000
	for name, detached := range map[string]bool{"detached": true, "held": false} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				opened, end := make(chan *detach.Response, responses), make(chan struct{})
				handler := detach.Handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					useStack(0)
					d := detach.Of(w)
					if d == nil {
						opened <- nil
						<-end
						return
					}
					d.Continue(func() { opened <- d }, func() {})
				}), func(*http.Request) bool { return detached })
				runtime.GC()
				before := stacks()
				var serving sync.WaitGroup
				for range responses {
					serving.Go(func() { handler.ServeHTTP(httptest.NewRecorder(), &http.Request{}) })
				}
				open := make([]*detach.Response, responses)
				for i := range open {
					open[i] = <-opened
				}
				runtime.GC() // returns the stacks of the handlers
				b.ReportMetric((stacks()-before)/responses, "stack-B/response")
				close(end)
				for _, d := range open {
					if d != nil {
						d.End()
					}
				}
				serving.Wait()
			}
		})
	}
}

// useStack uses about 6 KiB of stack.
func useStack(depth int) byte {
	var frame [1 << 10]byte
	if depth == 5 {
		return frame[depth]
	}
	frame[depth] = useStack(depth + 1)
	return frame[depth]
}

// stacks returns how many bytes the stacks of all goroutines have.
func stacks() float64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(sample)
	return float64(sample[0].Value.Uint64())
}

// lockedBuffer is the log of a server.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) logger() *log.Logger { return log.New(b, "", 0) }

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p) //nolint:wrapcheck // it does not fail
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
