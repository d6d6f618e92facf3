package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strconv"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sync/errgroup"

	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// floorCommand makes this program a bare client: "floor URL CA-FILE WORKERS".
const floorCommand = "floor"

// floor is a bare client of the agents' protocol: the least that a job can cost in Go. It
// accepts, starts, runs jobProcess and finishes, without a machine, a log or a spool.
type floor struct {
	url  string
	http *http.Client
}

// runFloor runs a bare client until the context ends.
func runFloor(ctx context.Context, args []string) error {
	const arguments = 3
	if len(args) != arguments {
		return errors.New("floor: missing URL, CA file or number of workers")
	}
	trust, err := config.ClientTLS(config.ClientTLSOptions{CAFile: args[1]})
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	workers, err := strconv.Atoi(args[2])
	if err != nil {
		return fmt.Errorf("floor: number of workers: %w", err)
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP2(true)
	f := floor{url: args[0], http: &http.Client{Transport: &http.Transport{TLSClientConfig: trust, Protocols: protocols}}}
	all, workCtx := errgroup.WithContext(ctx)
	for range workers {
		all.Go(func() error { return f.work(workCtx) })
	}
	if err := all.Wait(); err != nil && ctx.Err() == nil {
		return fmt.Errorf("floor: %w", err)
	}
	return nil
}

// work is one worker.
func (f floor) work(ctx context.Context) error {
	var session wire.RegisterResponse
	if err := f.call(ctx, http.MethodPost, "t", wire.PathRegister, wire.RegisterRequest{Name: floorCommand}, &session); err != nil {
		return err
	}
	if err := f.call(ctx, http.MethodPost, session.AccessToken, wire.PathConnect, nil, nil); err != nil {
		return err
	}
	streamCtx, call := connect.NewClientContext(ctx)
	call.RequestHeader().Set("Authorization", wire.TokenScheme+" "+session.AccessToken)
	stream, err := agentedgev1connect.NewAgentEdgeServiceClient(f.http, f.url, connect.WithGRPC()).
		StreamPings(streamCtx, &agentedgev1.StreamPingsRequest{AgentId: session.ID})
	if err != nil {
		return fmt.Errorf("opening the stream: %w", err)
	}
	defer func() { _ = stream.Close() }()
	for stream.Receive() {
		id := stream.Msg().GetJobAssigned().GetJob().GetId()
		if id == "" {
			continue
		}
		if err := f.runJob(ctx, id, session.AccessToken); err != nil {
			return err
		}
	}
	return stream.Err() //nolint:wrapcheck // it is complete
}

func (f floor) runJob(ctx context.Context, id, token string) error {
	path := wire.PathJobs + "/" + id + "/"
	var job wire.Job
	if err := f.call(ctx, http.MethodPut, token, path+wire.PathAccept, nil, &job); err != nil {
		return err
	}
	start := wire.StartRequest{StartedAt: wire.FormatTime(time.Now())}
	if err := f.call(ctx, http.MethodPut, job.Token, path+wire.PathStart, start, nil); err != nil {
		return err
	}
	argv := jobProcess()
	if err := exec.CommandContext(ctx, argv[0], argv[1:]...).Run(); err != nil {
		return fmt.Errorf("running the job: %w", err)
	}
	finish := wire.FinishRequest{ExitStatus: "0", FinishedAt: wire.FormatTime(time.Now())}
	return f.call(ctx, http.MethodPut, job.Token, path+wire.PathFinish, finish, nil)
}

func (f floor) call(ctx context.Context, method, token, path string, body, into any) error {
	content, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("encoding a request: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, method, f.url+wire.Prefix+"/"+path, bytes.NewReader(content))
	if err != nil {
		return fmt.Errorf("making a request: %w", err)
	}
	request.Header.Set("Authorization", wire.TokenScheme+" "+token)
	request.Header.Set("Content-Type", "application/json")
	response, err := f.http.Do(request)
	if err != nil {
		return fmt.Errorf("a request: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err == nil && into != nil {
		err = json.Unmarshal(answer, into)
	}
	if err != nil {
		return fmt.Errorf("reading a response: %w", err)
	}
	return nil
}
