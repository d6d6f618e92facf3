package worker_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/worker"
)

const (
	// callTimeout is the timeout of a ping and of one attempt at an accept. When
	// the network is dark, the handler notices the end much later, or never.
	callTimeout = 10 * time.Second
	// busyWait is the Retry-After of the response "busy".
	busyWait = time.Minute
)

// handler returns a handler that checks every call before next handles it.
func (c *checker) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The worker receives the response later than this: a call that the worker
		// knows the end of does not count as in flight.
		defer c.checkCall(r)()
		next.ServeHTTP(w, r)
	})
}

// checkCall checks a call, and returns a function to call after the response.
func (c *checker) checkCall(r *http.Request) (responded func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch path := r.URL.Path; {
	case strings.HasSuffix(path, "/ping"):
		return c.checkPing(r)
	case strings.HasSuffix(path, "/accept"):
		return c.checkAccept(r, strings.Split(path, "/")[3])
	case strings.HasSuffix(path, "/StreamPings"):
		return c.openStream(r)
	case strings.HasSuffix(path, "/start"):
		if id := strings.Split(path, "/")[3]; c.started[id] {
			c.failf("%s is started twice", id)
		}
	}
	return func() {}
}

func (c *checker) checkPing(r *http.Request) (responded func()) {
	now := time.Now()
	switch {
	case inFlight(c.pings, now):
		c.failf("a ping is sent during another ping")
	case inFlight(c.accepts, now):
		c.failf("a ping is sent during an accept")
	case len(c.running) > 0 || c.facts.Job != "":
		c.failf("a ping is sent during a job")
	case now.Before(c.blockedUntil):
		c.failf("a ping is sent before the end of Retry-After")
	case c.isLeaving(now):
		c.failf("a draining worker sends a ping")
	case c.facts.Mode == fsm.StreamOnly:
		c.failf("a ping is sent in mode stream-only")
	}
	c.pings[r] = now
	response, id, _ := strings.Cut(c.control.response("ping"), ":")
	c.pingResponse = response
	if response == "job" {
		c.offer(id)
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.pings, r)
		if response == "busy" && r.Context().Err() == nil {
			c.blockedUntil = time.Now().Add(busyWait)
		}
	}
}

func (c *checker) checkAccept(r *http.Request, id string) (responded func()) {
	now := time.Now()
	switch {
	case c.started[id]:
		c.failf("%s is accepted again after its start", id)
	case inFlight(c.pings, now):
		c.failf("%s is accepted during a ping", id)
	case inFlight(c.accepts, now):
		c.failf("%s is accepted during another accept", id)
	case len(c.running) > 0:
		c.failf("%s is accepted while %v is in hand", id, c.running)
	case string(c.facts.Job) != id:
		c.failf("%s is accepted while %q is in hand", id, c.facts.Job)
	case c.isLeaving(now):
		c.failf("a draining worker accepts %s", id)
	}
	c.accepts[r] = now
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.accepts, r)
	}
}

func (c *checker) openStream(r *http.Request) (responded func()) {
	c.stream, c.intact = r, true
	clear(c.expected)
	if response, id, _ := strings.Cut(c.control.response("stream"), ":"); response == "job" {
		c.offer(id)
	}
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.stream == r {
			c.stream = nil
			c.loseBytes()
		}
	}
}

// inFlight reports whether one of the calls has not timed out yet.
func inFlight(calls map[*http.Request]time.Time, now time.Time) bool {
	for _, since := range calls {
		if now.Before(since.Add(callTimeout)) {
			return true
		}
	}
	return false
}

// isLeaving reports whether the worker was leaving before now. A call sent at the
// same moment is allowed.
func (c *checker) isLeaving(now time.Time) bool { return !c.leaving.IsZero() && now.After(c.leaving) }

// loseBytes notes that the stream may have lost bytes, so that the worker need not
// know the messages sent on it.
func (c *checker) loseBytes() {
	c.intact = false
	clear(c.expected)
}

func (c *checker) offer(id string) {
	if !c.started[id] {
		c.offered[id] = true
	}
}

// checkJobs returns a RunJob that checks the calls of another one.
func (c *checker) checkJobs(run worker.RunJob) worker.RunJob {
	return func(ctx context.Context, accepted wire.Job) (job.Result, error) {
		id := accepted.ID
		c.mu.Lock()
		if len(c.running) > 0 || inFlight(c.pings, time.Now()) {
			c.failf("%s runs during %v or a ping", id, c.running)
		}
		if c.started[id] {
			c.failf("%s runs twice", id)
		}
		c.running = append(c.running, id)
		c.mu.Unlock()
		defer func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			at := slices.Index(c.running, id)
			c.running = slices.Delete(c.running, at, at+1)
		}()
		return run(ctx, accepted)
	}
}

// jobStarted notes that the start of a job was acknowledged.
func (c *checker) jobStarted(id string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.started[id], c.command = true, id
	delete(c.offered, id)
	delete(c.expected, id)
}

// jobEnded notes that the command of a job has ended.
func (c *checker) jobEnded(string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.command = ""
}
