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
	"time"

	"go.uber.org/goleak"

	"github.com/switchyard-ci/switchyard/internal/controlplane/detach"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// limit bounds a wait for what must happen.
const limit = 10 * time.Second

// serve serves handler, the requests of /detached with a detach.Response.
func serve(t *testing.T, http2 bool, handler http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(detach.Handler(handler, func(r *http.Request) bool { return r.URL.Path == "/detached" }))
	s.EnableHTTP2 = http2
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// get requests a path and reads the whole response.
func get(ctx context.Context, s *httptest.Server, path string) (status int, header http.Header, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+path, http.NoBody)
	if err != nil {
		return 0, nil, "", err
	}
	response, err := s.Client().Do(request)
	if err != nil {
		return 0, nil, "", err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, response.Header, string(text), err
}

// receive waits for a value.
func receive[T any](t *testing.T, what string, from <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-from:
	case <-time.After(limit):
		t.Fatal(what + " did not happen")
	}
	return value
}

// overBoth runs a test over HTTP/1.1 and HTTP/2.
func overBoth(t *testing.T, test func(t *testing.T, http2 bool)) {
	t.Helper()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		t.Run(name, func(t *testing.T) { test(t, http2) })
	}
}

// A response that goes on has nothing of what its handlers write on their way back, and
// ends with End.
func TestContinue(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		opened, ended := make(chan *detach.Response, 1), make(chan struct{})
		s := serve(t, http2, func(w http.ResponseWriter, _ *http.Request) {
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
			select {
			case <-ended:
				t.Error("the response ended before End")
			default:
			}
			d.End()
		}()
		status, header, body, err := get(t.Context(), s, "/detached")
		if body != "one\ntwo\n" || err != nil || status != http.StatusOK {
			t.Errorf("received %q with status %d and error %v", body, status, err)
		}
		if header.Get("X-Before") != "kept" || header.Get("X-After") != "" {
			t.Errorf("received the header %v", header)
		}
		receive(t, "the end", ended)
	})
}

// A handler that does not continue ends its response, and requests that do not match are
// served as they are.
func TestNotContinued(t *testing.T) {
	ended := make(chan struct{}, 1)
	s := serve(t, true, func(w http.ResponseWriter, _ *http.Request) {
		if d := detach.Of(w); d != nil {
			d.AtEnd(func() { ended <- struct{}{} })
		} else {
			w.Header().Set("X-Plain", "1")
		}
		w.WriteHeader(http.StatusTeapot)
	})
	for path, plain := range map[string]string{"/detached": "", "/other": "1"} {
		status, header, _, err := get(t.Context(), s, path)
		if err != nil || status != http.StatusTeapot || header.Get("X-Plain") != plain {
			t.Errorf("%s: status %d, header %v, error %v", path, status, header, err)
		}
	}
	receive(t, "the end", ended)
}

// When the client goes, gone is called once, whether that is before or after the
// handlers have returned.
func TestGone(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
		for name, early := range map[string]bool{"before the handlers return": true, "after": false} {
			t.Run(name, func(t *testing.T) {
				var calls atomic.Int32
				gone, began, opened := make(chan bool, 2), make(chan *detach.Response, 1), make(chan struct{})
				s := serve(t, http2, func(w http.ResponseWriter, r *http.Request) {
					d := detach.Of(w)
					d.Continue(func() { began <- d }, func() {
						calls.Add(1)
						gone <- d.Left()
					})
					close(opened)
					if early {
						<-r.Context().Done()
					}
				})
				failed := make(chan error, 1)
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				go func() {
					_, _, _, err := get(ctx, s, "/detached")
					failed <- err
				}()
				receive(t, "the request", opened)
				var d *detach.Response
				if !early {
					d = receive(t, "the return of the handlers", began)
				}
				cancel()
				if err := receive(t, "the end of the request", failed); !errors.Is(err, context.Canceled) {
					t.Errorf("the request failed with %v", err)
				}
				if early {
					d = receive(t, "the return of the handlers", began)
				}
				if !receive(t, "gone", gone) {
					t.Error("Left is false when the client has gone")
				}
				d.End()
				s.Close()
				if n := calls.Load(); n != 1 {
					t.Errorf("gone was called %d times", n)
				}
			})
		}
	})
}

// A handler or a writer that panics breaks its own request, and net/http logs it with its
// place.
func TestPanic(t *testing.T) {
	overBoth(t, func(t *testing.T, http2 bool) {
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
				var logged lockedBuffer
				s := serve(t, http2, func(w http.ResponseWriter, _ *http.Request) {
					fail := func() { panic(row.with) }
					if !row.later {
						fail()
					}
					d := detach.Of(w)
					d.Continue(func() { go d.Do(fail) }, func() {})
				})
				s.Config.ErrorLog = logged.logger()
				if _, _, _, err := get(t.Context(), s, "/detached"); err == nil {
					t.Error("the request succeeded")
				}
				s.Close()
				if got := logged.String(); !strings.Contains(got, row.logged) || row.logged == "" && strings.Contains(got, "panic") {
					t.Errorf("the log has %q", got)
				}
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
