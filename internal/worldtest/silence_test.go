package worldtest

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/transport"
)

// trustWithoutAnnouncement is how long a stream is trusted after a message if the
// control plane announces no keep-alive.
const trustWithoutAnnouncement = 150 * time.Second

// A control plane, or a proxy, sends one message on each stream and then nothing. It
// announces no keep-alive, and answers HTTP/2 PINGs. The worker polls once trust has
// ended, and the next message takes control back.
func TestSilentStreamDoesNotStarveAWorker(t *testing.T) {
	for _, protocol := range []transport.StreamProtocol{transport.StreamAuto, transport.StreamGRPC, transport.StreamConnect} {
		t.Run(protocol.String(), func(t *testing.T) {
			inBubble(t, func(t *testing.T) {
				s := &silence{}
				w := newWorld(t, 1)
				defer w.close()
				w.faults.breakWith(s.handle)
				a := w.join(fsm.Auto, protocol)
				s.silent.Store(true)
				pass(time.Second) // the stream is open and has its first message
				opened := time.Now()
				w.submit("1s", "0", 0, 0)
				pass(trustWithoutAnnouncement - 10*time.Second)
				if polls := s.polls.Load(); polls > 0 {
					t.Errorf("%d pings while the stream is trusted", polls)
				}
				pass(30 * time.Second)
				jobs := w.storedJobs()
				if len(jobs) != 1 {
					t.Errorf("%d jobs are stored, want one", len(jobs))
				}
				for id, job := range jobs {
					if job.State != wire.StateFinished {
						t.Errorf("job %s is %s after %v", id, job.State, time.Since(opened))
					}
				}
				if s.streams.Load() != 1 {
					t.Errorf("%d streams were opened, want the first one to stay", s.streams.Load())
				}
				s.silent.Store(false)
				pass(2 * keepAlive) // a message comes
				before := s.polls.Load()
				pass(time.Minute)
				if polls := s.polls.Load() - before; polls > 0 || before == 0 {
					t.Errorf("%d pings before the next message and %d in the minute after it, want some and none", before, polls)
				}
				w.submit("1s", "0", 0, 0)
				pass(2 * time.Second)
				w.calls.Wait()
				if err := w.unfinished(); err != nil {
					t.Errorf("with control taken back: %v", err)
				}
				a.drain()
			})
		})
	}
}

// silence drops what is written to streams after their first message.
type silence struct {
	silent         atomic.Bool
	streams, polls atomic.Int64
}

func (s *silence) handle(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	switch {
	case routeOf(r.URL.Path) == wire.PathPing:
		s.polls.Add(1)
		return false
	case r.URL.Path != agentedgev1connect.AgentEdgeServiceStreamPingsProcedure:
		return false
	}
	s.streams.Add(1)
	next.ServeHTTP(&firstMessage{ResponseWriter: w, of: s}, r)
	return true
}

// firstMessage is the response of a stream. Each message is written and then flushed,
// so that whole messages are dropped.
type firstMessage struct {
	http.ResponseWriter

	of       *silence
	flushes  int
	dropping bool
}

// WriteHeader implements http.ResponseWriter.
func (m *firstMessage) WriteHeader(status int) {
	m.Header().Del(wire.HeaderKeepAlive)
	m.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (m *firstMessage) Write(p []byte) (int, error) {
	m.Header().Del(wire.HeaderKeepAlive)
	if m.dropping {
		return len(p), nil
	}
	return m.ResponseWriter.Write(p)
}

// Unwrap returns the server's writer, for http.ResponseController.
func (m *firstMessage) Unwrap() http.ResponseWriter { return m.ResponseWriter }

// Flush implements http.Flusher.
func (m *firstMessage) Flush() {
	if err := http.NewResponseController(m.ResponseWriter).Flush(); err != nil {
		panic(http.ErrAbortHandler)
	}
	m.flushes++
	m.dropping = m.of.silent.Load() && m.flushes > 0
}
