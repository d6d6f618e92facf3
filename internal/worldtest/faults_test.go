package worldtest

import (
	"bytes"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

// fault is what happens to the requests of one route.
type fault string

// The faults. Each lasts until another one is set.
const (
	noFault     fault = "ok"
	loseRequest fault = "lose-request" // it does not arrive
	loseAnswer  fault = "lose-answer"  // it is carried out, and the answer is lost
	repeat      fault = "repeat"       // it is carried out twice
	hang        fault = "hang"         // it is neither carried out nor answered
	busy        fault = "busy"         // the response is 503 with Retry-After
	delay       fault = "delay"        // it arrives late
)

const (
	busyFor  = "3"
	delayFor = 12 * time.Second // longer than an acceptance may wait for its start
	maxBody  = 1 << 20
)

// faults stand between the network and every replica of a world. Methods may be called
// concurrently.
type faults struct {
	mu  sync.Mutex
	set map[string]fault
	// broken handles requests in place of the control plane, for trials; it returns
	// false for requests that it leaves alone. Nil leaves all alone.
	broken func(w http.ResponseWriter, r *http.Request, next http.Handler) bool
}

func newFaults() *faults { return &faults{set: map[string]fault{}} }

// breakWith sets the function that handles requests in place of the control plane.
func (f *faults) breakWith(handle func(w http.ResponseWriter, r *http.Request, next http.Handler) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.broken = handle
}

// put sets the fault of a route: see routeOf.
func (f *faults) put(route string, is fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.set[route] = is
}

// heal removes all faults.
func (f *faults) heal() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.set)
}

func (f *faults) of(route string) fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.set[route]
}

func (f *faults) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch f.of(routeOf(r.URL.Path)) {
		case loseRequest:
			panic(http.ErrAbortHandler)
		case loseAnswer:
			f.serve(discarded{http.Header{}}, r, next)
			panic(http.ErrAbortHandler)
		case repeat:
			body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
			if err != nil {
				panic(http.ErrAbortHandler)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			f.serve(discarded{http.Header{}}, r, next)
			r.Body = io.NopCloser(bytes.NewReader(body))
		case hang:
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		case busy:
			w.Header().Set("Retry-After", busyFor)
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		case noFault:
		case delay:
			select {
			case <-time.After(delayFor):
			case <-r.Context().Done():
			}
		}
		f.serve(w, r, next)
	})
}

// routeOf returns the last part of a path, and "state" for the path of a job.
func routeOf(path string) string {
	head, last, _ := cutLast(path, "/")
	if strings.HasSuffix(head, "/jobs") {
		return "state"
	}
	return last
}

func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return "", s, false
}

func (f *faults) serve(w http.ResponseWriter, r *http.Request, next http.Handler) {
	f.mu.Lock()
	broken := f.broken
	f.mu.Unlock()
	if broken == nil || !broken(w, r, next) {
		next.ServeHTTP(w, r)
	}
}

// discarded is a ResponseWriter that keeps nothing.
type discarded struct{ header http.Header }

func (d discarded) Header() http.Header       { return d.header }
func (discarded) Write(p []byte) (int, error) { return len(p), nil }
func (discarded) WriteHeader(int)             {}
func (discarded) Flush()                      {}
