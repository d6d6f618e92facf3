package demo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/faultproxy"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
)

// closeTimeout bounds closing the environment, whatever state it is in.
const closeTimeout = 10 * time.Second

// environment is a control plane, a proxy in front of it, an agent behind the
// proxy, and a client that reaches the control plane directly. All of them are
// real, on loopback, and in one temporary directory.
type environment struct {
	dir    string
	server *controlplane.Server
	proxy  *faultproxy.Proxy
	client *client.Client
	agent  *agent.Agent
	jobs   []submittedJob

	agentEnded chan struct{} // closed when the agent's Run has returned
	agentErr   error         // what it returned

	closers []func(context.Context) error
}

func (e *environment) onClose(f func(context.Context) error) { e.closers = append(e.closers, f) }

// startEnvironment starts everything. The caller must close the environment, also
// after an error.
func startEnvironment(
	ctx context.Context, transitionLog string, logger *zap.Logger, observe func(fsm.Record),
) (*environment, error) {
	e := &environment{}
	var err error
	if e.dir, err = os.MkdirTemp("", "switchyard-demo-"); err != nil {
		return e, fmt.Errorf("making a directory: %w", err)
	}
	e.onClose(func(context.Context) error { return os.RemoveAll(e.dir) })
	e.server, err = controlplane.Start(ctx, controlplane.Config{
		Listen: "127.0.0.1:0", DataDir: filepath.Join(e.dir, "data"),
		PingInterval: time.Second, Logger: logger.Named("control-plane"),
	}.WithDefaults())
	if err != nil {
		return e, fmt.Errorf("starting the control plane: %w", err)
	}
	e.onClose(e.server.Shutdown)
	if e.proxy, err = faultproxy.Start(ctx, e.server.URL()); err != nil {
		return e, fmt.Errorf("starting the proxy: %w", err)
	}
	e.onClose(func(context.Context) error { return e.proxy.Close() })
	if e.client, err = client.New(client.Options{
		Endpoints: []string{e.server.URL()}, Token: e.server.AdminToken(),
	}); err != nil {
		return e, fmt.Errorf("making a client: %w", err)
	}
	e.onClose(func(context.Context) error { e.client.Close(); return nil })
	e.agent, err = agent.New(agent.Config{
		Endpoints: []string{e.proxy.URL() + wire.Prefix}, Token: e.server.RegistrationToken(), Name: "demo", Version: "demo",
		Job:     job.Settings{BuildPath: filepath.Join(e.dir, "builds")},
		Observe: observe, TransitionLog: transitionLog, Logger: logger.Named("agent"),
	})
	if err != nil {
		return e, fmt.Errorf("making an agent: %w", err)
	}
	e.agentEnded = make(chan struct{})
	go func() {
		defer close(e.agentEnded)
		e.agentErr = e.agent.Run(ctx)
	}()
	e.onClose(func(ctx context.Context) error {
		e.agent.Force()
		select {
		case <-e.agentEnded:
			return nil
		case <-ctx.Done():
			return errors.New("the agent did not end")
		}
	})
	return e, nil
}

func (e *environment) cutStream() {
	e.proxy.Cut(agentedgev1connect.AgentEdgeServiceStreamPingsProcedure)
}

func (e *environment) repairStream() {
	e.proxy.Heal(agentedgev1connect.AgentEdgeServiceStreamPingsProcedure)
}

// drain drains the agent, and returns the error of its Run.
func (e *environment) drain(ctx context.Context) error {
	e.agent.Drain()
	select {
	case <-e.agentEnded:
		return e.agentErr
	case <-ctx.Done():
		return fmt.Errorf("draining the agent: %w", context.Cause(ctx))
	}
}

// close ends everything that was started, the last first, and removes the
// directory.
func (e *environment) close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	for _, f := range slices.Backward(e.closers) {
		err = errors.Join(err, f(ctx))
	}
	return err
}
