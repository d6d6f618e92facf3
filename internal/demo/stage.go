package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/faultproxy"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// leaveTimeout bounds the end of the demo, whatever state it is in.
const leaveTimeout = 10 * time.Second

// stage is everything that the demo runs on: a control plane, a proxy in front
// of it, an agent behind that, and a client that goes to the control plane
// directly. All of it is real, on loopback, and in one temporary directory.
type stage struct {
	dir    string
	server *controlplane.Server
	proxy  *faultproxy.Proxy
	client *client.Client
	agent  *agent.Agent
	watch  *watch
	jobs   []submitted

	ended chan struct{} // closed when the agent's Run has returned
	why   error         // what it returned
}

// setStage starts everything; the caller must call strike, also after an error.
func setStage(ctx context.Context, transitions string, logger *zap.Logger, w *watch) (*stage, error) {
	s := &stage{watch: w}
	var err error
	if s.dir, err = os.MkdirTemp("", "switchyard-demo-"); err != nil {
		return s, fmt.Errorf("making a directory: %w", err)
	}
	s.server, err = controlplane.Start(ctx, controlplane.Config{
		Listen: "127.0.0.1:0", DataDir: filepath.Join(s.dir, "data"),
		PingInterval: time.Second, Logger: logger.Named("control-plane"),
	}.WithDefaults())
	if err != nil {
		return s, fmt.Errorf("starting the control plane: %w", err)
	}
	if s.proxy, err = faultproxy.Start(ctx, s.server.URL()); err != nil {
		return s, fmt.Errorf("starting the proxy: %w", err)
	}
	if s.client, err = client.New(client.Options{
		Endpoint: s.server.URL(), Token: s.server.AdminToken(),
	}); err != nil {
		return s, fmt.Errorf("making a client: %w", err)
	}
	s.agent, err = agent.New(agent.Config{
		Endpoint: s.proxy.URL() + "/v3", Token: s.server.RegistrationToken(), Name: "demo", Version: "demo",
		Job:     job.Options{BuildPath: filepath.Join(s.dir, "builds")},
		Observe: w.observe, TransitionLog: transitions, Logger: logger.Named("agent"),
	})
	if err != nil {
		return s, fmt.Errorf("making an agent: %w", err)
	}
	s.ended = make(chan struct{})
	go func() {
		defer close(s.ended)
		s.why = s.agent.Run(ctx)
	}()
	return s, nil
}

func (s *stage) cutStream() { s.proxy.Cut(agentedgev1connect.AgentEdgeServiceStreamPingsProcedure) }

func (s *stage) healStream() { s.proxy.Heal(agentedgev1connect.AgentEdgeServiceStreamPingsProcedure) }

// leave drains the agent, and returns what it ended with.
func (s *stage) leave(ctx context.Context) error {
	s.agent.Drain()
	select {
	case <-s.ended:
		return s.why
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// strike ends everything that was started and removes the directory.
func (s *stage) strike() error {
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	var errs []error
	if s.ended != nil {
		s.agent.Force()
		select {
		case <-s.ended:
		case <-ctx.Done():
			errs = append(errs, errors.New("the agent did not end"))
		}
	}
	if s.client != nil {
		s.client.Close()
	}
	if s.proxy != nil {
		errs = append(errs, s.proxy.Close())
	}
	if s.server != nil {
		errs = append(errs, s.server.Shutdown(ctx))
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
