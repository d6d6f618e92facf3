package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// rawCaller makes the calls of workers over one raw connection, which it opens when there
// is none. It costs little of the CPU that it shares with the server that is measured. Its
// methods may be called concurrently.
type rawCaller struct {
	address string

	mu   sync.Mutex // for what follows
	conn *rawConn
}

// connection returns the connection, and opens one if there is none. It is closed when ctx
// ends.
func (c *rawCaller) connection(ctx context.Context) (*rawConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		select {
		case <-c.conn.closed:
		default:
			return c.conn, nil
		}
	}
	conn, err := dialRaw(ctx, c.address)
	if err != nil {
		return nil, err
	}
	c.conn = conn
	context.AfterFunc(ctx, func() { _ = conn.conn.Close() })
	return conn, nil
}

// close closes the connection and waits for its goroutine.
func (c *rawCaller) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.conn != nil {
		c.conn.close()
	}
}

// rawError is a response that is not a success, and the wait that it asks for.
type rawError struct {
	text       string
	retryAfter time.Duration
}

// Error implements error.
func (e *rawError) Error() string { return e.text }

// call sends a request of the REST API. into is decoded from the response, unless it is nil.
func (c *rawCaller) call(ctx context.Context, method, token, path string, body, into any) error {
	r := request{
		method: method, path: wire.Prefix + "/" + path, token: wire.TokenScheme + " " + token, contentType: "application/json",
	}
	if body != nil {
		var err error
		if r.body, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encoding a request: %w", err)
		}
	}
	response, err := c.send(ctx, r)
	if err != nil || into == nil {
		return err
	}
	if err := json.Unmarshal(response, into); err != nil {
		return fmt.Errorf("reading a response: %w", err)
	}
	return nil
}

// send sends a request and returns the body of the response. *rawError if that is not a
// success.
func (c *rawCaller) send(ctx context.Context, r request) ([]byte, error) {
	conn, err := c.connection(ctx)
	if err != nil {
		return nil, err
	}
	s, response, err := conn.call(ctx, r)
	if err == nil && s.status/100 != 2 {
		err = &rawError{fmt.Sprintf("%s %s: status %d: %s", r.method, r.path, s.status, response), s.retryAfter}
	}
	return response, err
}

// join registers a worker with a registration token, and connects it.
func (c *rawCaller) join(ctx context.Context, token, name string) (session wire.RegisterResponse, err error) {
	err = c.call(ctx, http.MethodPost, token, wire.PathRegister, wire.RegisterRequest{
		Name: name, Hostname: name, OS: "linux", Arch: "amd64", Version: "bench", ScriptEvalEnabled: true,
		Tags: []string{wire.QueueTag + bareQueue}, Features: []string{},
	}, &session)
	if err == nil {
		err = c.call(ctx, http.MethodPost, session.AccessToken, wire.PathConnect, nil, nil)
	}
	return session, err
}

// openStream opens the stream of a worker.
func (c *rawCaller) openStream(ctx context.Context, session wire.RegisterResponse, s *rawStream) error {
	conn, err := c.connection(ctx)
	if err != nil {
		return err
	}
	message, err := proto.Marshal(&agentedgev1.StreamPingsRequest{AgentId: session.ID})
	if err != nil {
		return fmt.Errorf("encoding a request: %w", err)
	}
	conn.open(request{
		method: http.MethodPost, path: agentedgev1connect.AgentEdgeServiceStreamPingsProcedure,
		token: wire.TokenScheme + " " + session.AccessToken, contentType: "application/grpc+proto",
		body: envelope(message),
	}, s)
	return nil
}

// eachAssigned calls assigned with the job of each message in the buffer of a stream that
// names one, and returns what is left of the buffer.
func eachAssigned(buffer []byte, assigned func(id string)) (rest []byte) {
	for len(buffer) >= grpcPrefix {
		end := grpcPrefix + int(binary.BigEndian.Uint32(buffer[1:grpcPrefix]))
		if len(buffer) < end {
			break
		}
		var message agentedgev1.StreamPingsResponse
		if err := proto.Unmarshal(buffer[grpcPrefix:end], &message); err == nil {
			if id := message.GetJobAssigned().GetJob().GetId(); id != "" {
				assigned(id)
			}
		}
		buffer = buffer[end:]
	}
	if len(buffer) == 0 {
		return nil // no worker keeps a buffer while nothing arrives
	}
	return buffer
}

// runJob accepts, starts and finishes a job for the worker with a session token.
func (c *rawCaller) runJob(ctx context.Context, token, id string) error {
	path := wire.PathJobs + "/" + id + "/"
	var job struct {
		Token string `json:"token"`
	}
	err := c.call(ctx, http.MethodPut, token, path+wire.PathAccept, nil, &job)
	if err == nil {
		start := wire.StartRequest{StartedAt: wire.FormatTime(time.Now())}
		err = c.call(ctx, http.MethodPut, job.Token, path+wire.PathStart, start, nil)
	}
	if err == nil {
		finish := wire.FinishRequest{ExitStatus: "0", FinishedAt: wire.FormatTime(time.Now())}
		err = c.call(ctx, http.MethodPut, job.Token, path+wire.PathFinish, finish, nil)
	}
	if err != nil {
		return fmt.Errorf("running job %s: %w", id, err)
	}
	return nil
}
