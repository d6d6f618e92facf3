package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/worker"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/transport"
)

// acceptBed is a control plane for one worker: it sends jobs on the stream, and notes when
// it receives an accept.
type acceptBed struct {
	jobs     chan string // empty: a message without a job
	accepted chan time.Time
}

// StreamPings implements agentedgev1connect.AgentEdgeServiceHandler.
func (a *acceptBed) StreamPings(
	ctx context.Context, _ *agentedgev1.StreamPingsRequest, out *connect.ServerStream[agentedgev1.StreamPingsResponse],
) error {
	for {
		select {
		case id := <-a.jobs:
			message := streamMessage("resume")
			if id != "" {
				message = &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_JobAssigned{
					JobAssigned: &agentedgev1.JobAssignedAction{Job: &agentedgev1.Job{Id: id}},
				}}
			}
			if err := out.Send(message); err != nil {
				return err //nolint:wrapcheck // the worker has left
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (a *acceptBed) handler() http.Handler {
	mux := http.NewServeMux()
	for pattern, body := range map[string]any{
		"POST /v3/register":   wire.RegisterResponse{ID: "w", AccessToken: "session", PingInterval: 10, HeartbeatInterval: 60},
		"POST /v3/connect":    struct{}{},
		"POST /v3/disconnect": struct{}{},
		"POST /v3/heartbeat":  wire.HeartbeatResponse{},
		"GET /v3/ping":        wire.PingResponse{},
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { _ = json.NewEncoder(w).Encode(body) })
	}
	mux.HandleFunc("PUT /v3/jobs/{id}/accept", func(w http.ResponseWriter, r *http.Request) {
		a.accepted <- time.Now()
		_ = json.NewEncoder(w).Encode(wire.Job{ID: r.PathValue("id"), ChunkMaxSize: 1})
	})
	mux.Handle(agentedgev1connect.NewAgentEdgeServiceHandler(a))
	return mux
}

// BenchmarkMessageToAccept measures a worker over loopback, with TLS and HTTP/2: from the
// message that assigns a job to the accept that the control plane receives. An operation is
// all of the job, whose command takes no time.
func BenchmarkMessageToAccept(b *testing.B) {
	bed := &acceptBed{jobs: make(chan string), accepted: make(chan time.Time, 1)}
	server := httptest.NewUnstartedServer(bed.handler())
	server.EnableHTTP2 = true
	server.StartTLS()
	defer server.Close()
	trusting, ok := server.Client().Transport.(*http.Transport)
	if !ok {
		b.Fatal("httptest has changed")
	}
	client, err := transport.New(transport.Options{Endpoints: []string{server.URL + "/v3"}, TLS: trusting.TLSClientConfig})
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithCancel(b.Context())
	session, err := client.Register(ctx, func() string { return "registration" }, wire.RegisterRequest{Name: "one"})
	if err != nil {
		b.Fatal(err)
	}
	idle := make(chan struct{}, 1) // the worker is ready for the next job
	w, err := worker.New(worker.Config{
		Session: session, Heartbeat: session.HeartbeatInterval(),
		RunJob: func(context.Context, wire.Job) (job.Result, error) { return job.Result{}, nil },
		Observe: func(r fsm.Record) {
			if r.To == fsm.StreamHealthy && r.From != fsm.StreamHealthy {
				idle <- struct{}{}
			}
		},
	})
	if err != nil {
		b.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, _ = w.Run(ctx)
	}()
	defer func() { cancel(); <-ended }()
	bed.jobs <- ""
	<-idle
	b.ReportAllocs()
	var toAccept time.Duration
	for n := 0; b.Loop(); n++ {
		sent := time.Now()
		bed.jobs <- fmt.Sprint("job-", n)
		toAccept += (<-bed.accepted).Sub(sent)
		<-idle
	}
	b.ReportMetric(float64(toAccept.Microseconds())/float64(b.N), "µs-to-accept")
}
