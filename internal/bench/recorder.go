package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

const (
	recorderPing      = 10 // seconds, as the next two
	recorderHeartbeat = 10
	recorderStatus    = 1
	recorderChunk     = 100 << 10 // bytes
	recorderLog       = 1 << 30   // bytes
	waitingMessages   = 4         // of one stream
)

// recorder is a control plane that notes what it receives and stores nothing: it costs
// all agents the same, and little. It serves as much of the protocol as they need. It
// may be used concurrently.
type recorder struct {
	url, certFile string
	events        *subscription
	server        *http.Server
	heartbeat     int64 // seconds between two of a worker; set before the first one registers

	mu      sync.Mutex
	workers int
	streams map[string]chan string // jobs to assign, by worker; empty resets the stream
	jobs    int
}

// newRecorder starts a recorder on loopback, with TLS. The caller must close it.
func newRecorder(dir string) (*recorder, error) {
	certFile, keyFile, err := makeCertificate(dir)
	if err != nil {
		return nil, err
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("loading the certificate: %w", err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // it does not block
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	r := &recorder{
		url: "https://" + listener.Addr().String(), certFile: certFile, events: newSubscription(), streams: map[string]chan string{},
		heartbeat: recorderHeartbeat,
	}
	r.server = &http.Server{
		Handler: r.routes(), TLSConfig: &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12},
		ReadHeaderTimeout: time.Minute, HTTP2: &http.HTTP2Config{MaxConcurrentStreams: mostWorkers},
	}
	go func() { _ = r.server.ServeTLS(listener, "", "") }() // it ends with close
	return r, nil
}

func (r *recorder) close() error {
	if err := r.server.Close(); err != nil {
		return fmt.Errorf("closing the recorder: %w", err)
	}
	return nil
}

func (r *recorder) routes() http.Handler {
	routes := http.NewServeMux()
	base := wire.Prefix + "/"
	job := base + wire.PathJobs + "/{id}"
	empty := struct{}{}
	note := func(pattern string, kind eventKind, response func(*http.Request) any) {
		routes.HandleFunc(pattern, func(w http.ResponseWriter, request *http.Request) {
			r.events.add(event{kind: kind, at: time.Now(), worker: request.Header.Get("Authorization"), job: request.PathValue("id")})
			_, _ = io.Copy(io.Discard, request.Body)
			w.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(w).Encode(response(request)) // the agent notices
		})
	}
	always := func(response any) func(*http.Request) any { return func(*http.Request) any { return response } }
	note("POST "+base+wire.PathRegister, workerRegistered, func(*http.Request) any { return r.register() })
	note("POST "+base+wire.PathConnect, workerConnected, always(empty))
	note("POST "+base+wire.PathDisconnect, workerLeft, always(empty))
	note("POST "+base+wire.PathHeartbeat, heartbeatSent, func(*http.Request) any {
		now := wire.FormatTime(time.Now())
		return wire.HeartbeatResponse{SentAt: now, ReceivedAt: now}
	})
	note("GET "+base+wire.PathPing, pingSent, always(wire.PingResponse{}))
	note("PUT "+job+"/"+wire.PathAccept, jobAccepted, func(request *http.Request) any { return acceptedJob(request.PathValue("id")) })
	note("PUT "+job+"/"+wire.PathStart, jobStarted, always(empty))
	note("PUT "+job+"/"+wire.PathFinish, jobFinished, always(empty))
	note("POST "+job+"/"+wire.PathChunks, chunkSent, always(empty))
	note("GET "+job, stateRequested, always(wire.JobStateResponse{State: wire.StateRunning}))
	path, handler := agentedgev1connect.NewAgentEdgeServiceHandler(r)
	routes.Handle(path, handler)
	return routes
}

// register returns the answer for one more worker.
func (r *recorder) register() wire.RegisterResponse {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.workers++
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", r.workers)
	return wire.RegisterResponse{
		ID: id, Name: "bench-" + strconv.Itoa(r.workers), AccessToken: id, Endpoint: r.url + wire.Prefix,
		PingInterval: recorderPing, HeartbeatInterval: r.heartbeat, JobStatusInterval: recorderStatus,
	}
}

// acceptedJob returns a job `true`.
func acceptedJob(id string) wire.Job {
	return wire.Job{
		ID: id, State: "accepted", Token: "token-" + id, ChunkMaxSize: recorderChunk, ChunkInterval: 1, LogMaxSize: recorderLog,
		Env: map[string]string{wire.EnvCommand: jobCommand, wire.EnvJobID: id},
	}
}

// StreamPings implements agentedgev1connect.AgentEdgeServiceHandler.
func (r *recorder) StreamPings(
	ctx context.Context, _ *agentedgev1.StreamPingsRequest, stream *connect.ServerStream[agentedgev1.StreamPingsResponse],
) error {
	call, _ := connect.CallInfoForHandlerContext(ctx) // there is one in a handler
	worker := call.RequestHeader().Get("Authorization")
	jobs := make(chan string, waitingMessages)
	r.mu.Lock()
	r.streams[worker] = jobs
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.streams[worker] == jobs {
			delete(r.streams, worker)
		}
	}()
	message := &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_Resume{Resume: &agentedgev1.ResumeAction{}}}
	sent := event{kind: messageSent, worker: worker}
	for {
		sent.at = time.Now()
		r.events.add(sent)
		if err := stream.Send(message); err != nil {
			return err //nolint:wrapcheck // the agent has ended the stream
		}
		select {
		case id := <-jobs:
			if id == "" {
				r.events.add(event{kind: streamKilled, at: time.Now(), worker: worker})
				return connect.NewError(connect.CodeUnavailable, errStreamKilled) //nolint:wrapcheck // an answer
			}
			message = &agentedgev1.StreamPingsResponse{Action: &agentedgev1.StreamPingsResponse_JobAssigned{
				JobAssigned: &agentedgev1.JobAssignedAction{Job: &agentedgev1.Job{Id: id}},
			}}
			sent = event{kind: jobAssigned, worker: worker, job: id}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

var (
	errNoStream     = errors.New("the worker has no stream")
	errStreamKilled = errors.New("the stream was killed")
)

// kill ends the stream of a worker with an error.
func (r *recorder) kill(worker string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	jobs, ok := r.streams[worker]
	if !ok {
		return errNoStream
	}
	jobs <- ""
	return nil
}

// assign sends a new job to a worker, and returns its ID.
func (r *recorder) assign(worker string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	jobs, ok := r.streams[worker]
	if !ok {
		return "", errNoStream
	}
	r.jobs++
	id := fmt.Sprintf("11111111-0000-4000-8000-%012d", r.jobs)
	jobs <- id
	return id, nil
}

// connected returns the workers that have a stream.
func (r *recorder) connected() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	workers := make([]string, 0, len(r.streams))
	for worker := range r.streams {
		workers = append(workers, worker)
	}
	return workers
}

// tokenFile writes a token, which the recorder does not check, to a file.
func (*recorder) tokenFile(dir string) (string, error) {
	path := filepath.Join(dir, "token")
	if err := os.WriteFile(path, []byte(strings.Repeat("t", recorderPing)), privateMode); err != nil {
		return "", fmt.Errorf("writing the token: %w", err)
	}
	return path, nil
}
