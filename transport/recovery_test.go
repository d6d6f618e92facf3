package transport_test

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

// outage is a control plane that is away until a time, and may go on refusing results
// until a later one. It records the tries of a finish.
type outage struct {
	up       time.Time // other calls succeed from then on
	finishes time.Time // finish succeeds from then on
	headers  []string  // of the refusals of a finish

	mu    sync.Mutex
	tries []time.Time
}

func (o *outage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now, until, headers := time.Now(), o.up, []string(nil)
	if r.Method == http.MethodPut {
		o.mu.Lock()
		o.tries = append(o.tries, now)
		o.mu.Unlock()
		until, headers = o.finishes, o.headers
	}
	if now.Before(until) {
		reply(http.StatusServiceUnavailable, `{"message":"away"}`, headers...)(w, r)
		return
	}
	reply(http.StatusOK, `{}`)(w, r)
}

// TestRecovery finishes a job while the control plane is away: the result is delivered
// as soon as another call reaches the control plane, never before a Retry-After, and
// without many more tries while only the finish fails. A session tries for about ten
// minutes; each wait is at most 2.5 minutes.
func TestRecovery(t *testing.T) {
	const second, minute = time.Second, time.Minute
	other := map[string]func(context.Context, *harness, *transport.Session){
		"ping":      func(ctx context.Context, _ *harness, s *transport.Session) { _, _ = s.Ping(ctx) },
		"heartbeat": func(ctx context.Context, _ *harness, s *transport.Session) { _ = s.Heartbeat(ctx) },
		"stream": func(ctx context.Context, _ *harness, s *transport.Session) {
			s.RunStream(ctx, transport.StreamOptions{}, func(transport.StreamEvent) {})
		},
	}
	rows := []struct {
		name         string
		other        string        // the other call
		every        time.Duration // how often it is made
		up, finishes time.Duration // from the start
		headers      []string
		least, most  time.Duration // until the finish is acknowledged
		tries        int           // at most
	}{
		{name: "a ping", other: "ping", every: 10 * second, up: 3 * minute, finishes: 3 * minute, least: 3 * minute, most: 3*minute + 3*second, tries: 12},
		{name: "a heartbeat", other: "heartbeat", every: 10 * second, up: 3 * minute, finishes: 3 * minute, least: 3 * minute, most: 3*minute + 15*second, tries: 12},
		{name: "the first message of a stream", other: "stream", up: 3 * minute, finishes: 3 * minute, least: 3 * minute, most: 3*minute + 67*second, tries: 12},
		{name: "no outage of other calls", other: "ping", every: 10 * second, finishes: 95 * second, least: 95 * second, most: 5 * minute, tries: 20},
		{name: "finish fails for a little longer", other: "ping", every: 10 * second, up: 3 * minute, finishes: 3*minute + 5*second, least: 3*minute + 5*second, most: 6 * minute, tries: 14},
		{name: "Retry-After", other: "ping", every: 10 * second, up: minute, finishes: minute, headers: []string{"Retry-After", "100"}, least: 100 * second, most: 110 * second, tries: 2},
		{name: "only finish fails", other: "ping", every: 100 * time.Millisecond, finishes: time.Hour, least: 460 * second, most: 720 * second, tries: 24},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				control := &outage{up: start.Add(row.up), finishes: start.Add(row.finishes), headers: row.headers}
				_, streams := newStreamServer(func(ctx context.Context, out *streamOut) error {
					if time.Now().Before(control.up) {
						return connect.NewError(connect.CodeUnavailable, errors.New("away"))
					}
					return inOrder(send(resume()), hold)(ctx, out)
				})
				mux := http.NewServeMux()
				mux.Handle(procedure, streams)
				mux.Handle("/", registering(control))
				h := newHarness(t, mux)
				session := h.register(t)
				ctx, cancel := context.WithCancel(t.Context())
				var beside sync.WaitGroup
				beside.Go(func() {
					for ctx.Err() == nil {
						other[row.other](ctx, h, session)
						select {
						case <-time.After(row.every):
						case <-ctx.Done():
						}
					}
				})
				_ = session.Job(wire.Job{ID: "j1", Token: jobToken}).Finish(t.Context(), wire.FinishRequest{ExitStatus: "0"})
				took := time.Since(start)
				cancel()
				beside.Wait()
				if took < row.least || took > row.most {
					t.Errorf("took %v, want %v to %v", took, row.least, row.most)
				}
				if len(control.tries) > row.tries {
					t.Errorf("%d tries, want at most %d", len(control.tries), row.tries)
				}
				for i := 1; i < len(control.tries); i++ {
					if apart := control.tries[i].Sub(control.tries[i-1]); apart < 1600*time.Millisecond {
						t.Errorf("try %d came %v after the one before", i+1, apart)
					}
				}
			})
		})
	}
}
