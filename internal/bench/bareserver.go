package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/wire"
	agentedgev1 "github.com/switchyard-ci/switchyard/proto/agentedge/v1"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// bareServerCommand makes this program a bare server: "bare-server ADDRESS".
const bareServerCommand = "bare-server"

// runBareServer serves what an idle worker needs until the context ends, with nothing but
// net/http: the least that a stream can cost with it. It stores and checks nothing.
func runBareServer(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("bare-server: missing address")
	}
	resume, err := proto.Marshal(&agentedgev1.StreamPingsResponse{
		Action: &agentedgev1.StreamPingsResponse_Resume{Resume: &agentedgev1.ResumeAction{}},
	})
	if err != nil {
		return fmt.Errorf("bare-server: %w", err)
	}
	resume = envelope(resume)
	var ids atomic.Int64
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
	mux.HandleFunc(wire.Prefix+"/"+wire.PathRegister, func(w http.ResponseWriter, _ *http.Request) {
		id := strconv.FormatInt(ids.Add(1), 10)
		_ = json.NewEncoder(w).Encode(wire.RegisterResponse{ID: id, AccessToken: id}) // the client may have gone
	})
	mux.HandleFunc(agentedgev1connect.AgentEdgeServiceStreamPingsProcedure, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/grpc+proto")
		keepAlive := time.NewTicker(controlplane.DefaultKeepAlive)
		defer keepAlive.Stop()
		for {
			if _, err := w.Write(resume); err != nil {
				return
			}
			if err := http.NewResponseController(w).Flush(); err != nil {
				return
			}
			select {
			case <-keepAlive.C:
			case <-r.Context().Done():
				return
			}
		}
	})
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetUnencryptedHTTP2(true)
	server := &http.Server{Addr: args[0], Handler: mux, Protocols: protocols, ReadHeaderTimeout: time.Minute}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("bare-server: %w", err)
	}
	return nil
}
