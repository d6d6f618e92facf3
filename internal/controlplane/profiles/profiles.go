// Package profiles serves profiles of the running control plane, in the format of
// `go tool pprof`: what uses its CPU time and memory, what its goroutines wait for. A
// profile has names of functions, lines of the source, sizes, times and addresses, but no
// content of memory. The command line of the process, which net/http/pprof serves, too, is
// not served.
package profiles

import (
	"fmt"
	"net/http"
	"net/http/pprof"
	"runtime"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
)

// Where the profiles are.
const (
	CPUPath       = "/debug/pprof/profile"
	HeapPath      = "/debug/pprof/heap"
	AllocsPath    = "/debug/pprof/allocs"
	GoroutinePath = "/debug/pprof/goroutine"
	MutexPath     = "/debug/pprof/mutex"
	BlockPath     = "/debug/pprof/block"
	TracePath     = "/debug/pprof/trace"
	SymbolPath    = "/debug/pprof/symbol"
)

const (
	// MaxSeconds is the longest time that a profile can take.
	MaxSeconds = 60
	// These are how long profiles take if the request does not say.
	cpuSeconds, traceSeconds, waitSeconds = 30, 1, 10
	// writeLimit is how long the response may take after that.
	writeLimit = time.Minute
)

const (
	// mutexFraction has one of so many contended locks recorded, while a profile of them
	// is taken.
	mutexFraction = 10
	// blockRate has one wait recorded for each so many nanoseconds that goroutines wait,
	// while a profile of them is taken.
	blockRate = 10_000
)

// profile is one of the profiles.
type profile struct {
	path  string
	serve http.Handler
	// seconds is how long it takes if the request does not say; 0 is a moment.
	seconds int
	// record, if not nil, begins to record what the profile has, and returns what ends it.
	record func() (stop func())
}

// all returns the profiles. What costs time while it is recorded, waits for locks and
// channels, is recorded only during a request.
func all() []profile {
	return []profile{
		{path: CPUPath, serve: http.HandlerFunc(pprof.Profile), seconds: cpuSeconds},
		{path: TracePath, serve: http.HandlerFunc(pprof.Trace), seconds: traceSeconds},
		{path: MutexPath, serve: pprof.Handler("mutex"), seconds: waitSeconds, record: recordMutexes},
		{path: BlockPath, serve: pprof.Handler("block"), seconds: waitSeconds, record: recordBlocks},
		{path: HeapPath, serve: pprof.Handler("heap")},
		{path: AllocsPath, serve: pprof.Handler("allocs")},
		{path: GoroutinePath, serve: pprof.Handler("goroutine")},
		{path: SymbolPath, serve: http.HandlerFunc(pprof.Symbol)},
	}
}

func recordMutexes() func() {
	before := runtime.SetMutexProfileFraction(mutexFraction)
	return func() { runtime.SetMutexProfileFraction(before) }
}

func recordBlocks() func() {
	runtime.SetBlockProfileRate(blockRate)
	return func() { runtime.SetBlockProfileRate(0) }
}

// Paths returns the paths of Handlers.
func Paths() (paths []string) {
	for _, p := range all() {
		paths = append(paths, p.path)
	}
	return paths
}

// Handlers returns the handlers of the profiles, by path, for the method GET. The caller
// authenticates their requests, whose bodies are not read. A request that is canceled ends
// with what was recorded until then. Of all of them one profile is taken at a time: others
// are refused with 429 meanwhile.
func Handlers(logger *zap.Logger) map[string]http.Handler {
	handlers, busy := map[string]http.Handler{}, &sync.Mutex{}
	for _, p := range all() {
		handlers[p.path] = p.handler(busy, logger)
	}
	return handlers
}

func (p profile) handler(busy *sync.Mutex, logger *zap.Logger) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		query := r.URL.Query()
		seconds := p.seconds
		if given := query.Get("seconds"); given != "" {
			var err error
			if seconds, err = strconv.Atoi(given); err != nil || seconds < 1 || seconds > MaxSeconds {
				http.Error(w, fmt.Sprintf("seconds must be from 1 to %d", MaxSeconds), http.StatusBadRequest)
				return
			}
		}
		if !busy.TryLock() {
			http.Error(w, "another profile is being taken; try again when it has ended", http.StatusTooManyRequests)
			return
		}
		defer busy.Unlock()
		length := time.Duration(seconds) * time.Second
		logger.Info("profile requested", append(access.Caller(r.Context()).Fields(),
			zap.String("route", p.path), zap.Duration("length", length))...)
		if err := extend(w, length); err != nil {
			http.Error(w, "profiles are not supported on this connection", http.StatusInternalServerError)
			return
		}
		if seconds > 0 {
			query.Set("seconds", strconv.Itoa(seconds))
			r = r.Clone(r.Context())
			r.URL.RawQuery = query.Encode()
		}
		if p.record != nil {
			defer p.record()()
		}
		p.serve.ServeHTTP(w, r)
	})
}

// extend extends the time limits of a request by how long its profile takes. Without that
// net/http would cancel a request that is older than the limit for reading it.
func extend(w http.ResponseWriter, by time.Duration) error {
	control, until := http.NewResponseController(w), time.Now().Add(by+writeLimit)
	if err := control.SetReadDeadline(until); err != nil {
		return fmt.Errorf("setting the read deadline of a profile: %w", err)
	}
	if err := control.SetWriteDeadline(until); err != nil {
		return fmt.Errorf("setting the write deadline of a profile: %w", err)
	}
	return nil
}
