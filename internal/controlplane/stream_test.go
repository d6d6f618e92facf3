package controlplane_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// Every instruction, over every protocol and link.
func TestStreamInstructionsOverEveryProtocol(t *testing.T) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := startOn(t, l)
			for _, d := range rpcProtocols {
				t.Run(d.name, func(t *testing.T) {
					w := b.register(d.name, d.name)
					s := b.stream(w, d.options...)
					s.expect("resume")
					b.pause(w.id)
					s.expect("pause new disk")
					job := b.submit(d.name, "true")
					b.resume(w.id)
					s.expect("resume")
					s.expect("job " + job.GetId())
					b.must(200, request{method: "PUT", path: "/v3/jobs/" + job.GetId() + "/accept", token: w.token})
					if _, err := b.workers.StopWorker(t.Context(), &switchyardv1.StopWorkerRequest{Id: w.id, Reason: "old"}); err != nil {
						t.Fatal(err)
					}
					s.expect("disconnect old")
				})
			}
		})
	}
}

func TestStreamBeginsWithStandingInstruction(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	b.pause(w.id)
	b.stream(w).expect("pause new disk")
	if _, err := b.workers.StopWorker(t.Context(), &switchyardv1.StopWorkerRequest{Id: w.id, Reason: "old"}); err != nil {
		t.Fatal(err)
	}
	b.stream(w).expect("disconnect old")
}

// A job is offered on every new stream until it is started.
func TestStreamOffersAgain(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	first := b.stream(w)
	first.expect("resume")
	job := b.submit("q", "true")
	first.expect("job " + job.GetId())
	second := b.stream(w)
	second.expect("resume")
	second.expect("job " + job.GetId())
	b.must(200, request{method: "PUT", path: "/v3/jobs/" + job.GetId() + "/accept", token: w.token})
	third := b.stream(w)
	third.expect("resume")
	third.expect("job " + job.GetId())
}

func TestStreamErrors(t *testing.T) {
	b := start(t)
	w, other := b.register("w", "q"), b.register("other", "q")
	job := b.accepted(w, queued("q"))
	gone := b.register("gone", "q")
	b.must(200, request{method: "POST", path: "/v3/disconnect", token: gone.token})
	for _, row := range []struct {
		name, token, id string
		code            connect.Code
	}{
		{"no token", "", w.id, connect.CodeUnauthenticated},
		{"unknown token", strings.Repeat("x", 40), w.id, connect.CodeUnauthenticated},
		{"the registration token", b.RegistrationToken(), w.id, connect.CodeUnauthenticated},
		{"the admin token", b.AdminToken(), w.id, connect.CodeUnauthenticated},
		{"a job's token", job.text("token"), w.id, connect.CodeUnauthenticated},
		{"another worker's ID", w.token, other.id, connect.CodePermissionDenied},
		{"no ID", w.token, "", connect.CodePermissionDenied},
		{"an unknown ID", w.token, "nonsense", connect.CodePermissionDenied},
		{"a disconnected worker", gone.token, gone.id, connect.CodePermissionDenied},
	} {
		for _, d := range rpcProtocols {
			t.Run(row.name+" "+d.name, func(t *testing.T) {
				ended := b.open(row.token, row.id, d.options...).end()
				if ended.Code() != row.code || ended.Message() == "" {
					t.Errorf("ended with %v, want %v and a message", ended, row.code)
				}
				if row.token != "" && strings.Contains(ended.Message(), row.token) {
					t.Errorf("the message %q contains the token", ended.Message())
				}
			})
		}
	}
}

func TestStreamIsSuperseded(t *testing.T) {
	b := start(t)
	w := b.register("w", "q")
	first := b.stream(w)
	first.expect("resume")
	second := b.stream(w)
	second.expect("resume")
	if ended := first.end(); ended.Code() != connect.CodeAborted {
		t.Errorf("the first stream ended with %v, want Aborted", ended)
	}
	b.pause(w.id)
	second.expect("pause new disk")
}

// A keep-alive repeats the standing instruction: resume would resume a paused worker.
func TestStreamKeepAlive(t *testing.T) {
	b := start(t, func(c *controlplane.Config) { c.KeepAlive = 20 * time.Millisecond })
	w := b.register("w", "q")
	s := b.stream(w)
	for range 3 {
		s.expect("resume")
	}
	b.pause(w.id)
	got := s.next()
	for got == "resume" { // sent before the pause
		got = s.next()
	}
	for range 3 {
		if got != "pause new disk" {
			t.Fatalf("received %q while paused", got)
		}
		got = s.next()
	}
}

// DeadlineExceeded is the planned end, after which an agent reconnects without
// falling back.
func TestStreamEndsAsPlannedAtItsAge(t *testing.T) {
	b := start(t, func(c *controlplane.Config) { c.StreamMaxAge = 50 * time.Millisecond })
	w := b.register("w", "q")
	for _, d := range rpcProtocols {
		t.Run(d.name, func(t *testing.T) {
			// On a busy machine it may end before its first message.
			if ended := b.stream(w, d.options...).end(); ended.Code() != connect.CodeDeadlineExceeded {
				t.Errorf("ended with %v, want DeadlineExceeded", ended)
			}
		})
	}
}

func TestStreamSwitchedOff(t *testing.T) {
	b := start(t, func(c *controlplane.Config) { c.NoStream = true })
	w := b.register("w", "q")
	for _, d := range rpcProtocols {
		t.Run(d.name, func(t *testing.T) {
			if ended := b.stream(w, d.options...).end(); ended.Code() != connect.CodeUnimplemented {
				t.Errorf("ended with %v, want Unimplemented", ended)
			}
		})
	}
	b.accepted(w, queued("q")) // by polling
}

// Shutdown closes the port before it ends the streams, so that an agent which
// reconnects never reaches this server again.
func TestStreamEndsAsPlannedOnShutdown(t *testing.T) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := startOn(t, l)
			streams := make([]*stream, 0, len(rpcProtocols))
			for _, d := range rpcProtocols {
				s := b.stream(b.register(d.name, "q"), d.options...)
				s.expect("resume")
				streams = append(streams, s)
			}
			ctx, cancel := context.WithTimeout(t.Context(), waitLimit)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- b.Shutdown(ctx) }()
			for i, s := range streams {
				if got := s.end(); got.Code() != connect.CodeDeadlineExceeded {
					t.Errorf("%s: ended with %v, want DeadlineExceeded", rpcProtocols[i].name, got)
				}
			}
			if err := <-ended; err != nil {
				t.Errorf("shutting down: %v", err)
			}
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, b.URL()+"/healthz", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if res, err := b.client.Do(req); err == nil {
				res.Body.Close()
				t.Error("the port is still open")
			}
		})
	}
}

// A worker whose connection is lost is no longer streaming, and is offered jobs by
// ping.
func TestStreamOfLostAgent(t *testing.T) {
	for _, l := range links {
		t.Run(l.name, func(t *testing.T) {
			b := startOn(t, l)
			w := b.register("w", "q")
			s := b.stream(w, connect.WithGRPC())
			s.expect("resume")
			s.cancel()
			deadline := time.Now().Add(waitLimit)
			for streaming := true; streaming; {
				res, err := b.workers.ListWorkers(t.Context(), &switchyardv1.ListWorkersRequest{})
				if err != nil {
					t.Fatal(err)
				}
				if streaming = res.GetWorkers()[0].GetStreaming(); streaming && time.Now().After(deadline) {
					t.Fatal("the worker is still streaming")
				}
			}
			b.accepted(w, queued("q"))
		})
	}
}
