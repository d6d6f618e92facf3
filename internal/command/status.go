package command

import (
	"context"
	"io"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/diagram"
	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/telemetry/agentdir"
	"github.com/switchyard-ci/switchyard/internal/telemetry/agentstatus"
)

// status serves the status of an agent on a port, where --status-listen asks for it, and
// counts nothing elsewhere.
type status struct {
	listen  string
	metrics *agentstatus.Metrics // nil where it is not asked for
}

// statusFlag declares the flag.
func statusFlag(flags cli.Flags) *status {
	s := &status{}
	flags.Text(&s.listen, "status-listen", "HOST:PORT",
		"address of a status page, /status, /metrics and /healthz, without authentication; without a HOST on this machine only").
		Default("not served")
	return s
}

// observe makes the agent of a configuration count its events, if the status is served.
func (s *status) observe(c *agent.Config) {
	if s.listen == "" {
		return
	}
	s.metrics = agentstatus.New()
	c.Observe, c.JobEnded = s.metrics.Observe, s.metrics.JobEnded
}

// serve calls run, which runs an agent, and serves the status of the agent meanwhile. An
// address that cannot be served is an error that names it, and run is not called.
func (s *status) serve(ctx context.Context, daemon *agent.Agent, logger *zap.Logger, run func() error) error {
	if s.metrics == nil {
		return run()
	}
	server, err := s.metrics.Listen(ctx, s.listen, agentstatus.Page{Status: daemon.Status, Picture: drawState}, logger)
	if err != nil {
		return err
	}
	defer server.Close()
	return run()
}

// drawState draws the machine of a worker in a state.
func drawState(w io.Writer, state fsm.State) error {
	return diagram.Write(w, diagram.SVG, diagram.Options{Highlight: state})
}

// Home is the directory of an agent in the data directory.
type Home struct {
	dir    *agentdir.Dir // nil if there is none
	logger *zap.Logger
}

// OpenHome claims a directory for the agent of a configuration, which then keeps its
// history there. Without one the agent runs, too: the log says why. The caller closes it
// when the agent has ended.
func (f *AgentFlags) OpenHome(c *agent.Config) *Home {
	h := &Home{logger: c.Logger}
	path, err := f.dataDir.Resolve()
	if err == nil {
		h.dir, err = agentdir.Claim(path)
	}
	if err != nil {
		h.logger.Warn("agent has no directory of its own; agent status and agent history do not find it", zap.Error(err))
		return h
	}
	c.History = h.dir.History()
	return h
}

// Serve calls run, which runs an agent, and serves the status of the agent on the socket of
// its directory meanwhile.
func (h *Home) Serve(ctx context.Context, daemon *agent.Agent, run func() error) error {
	if h.dir == nil {
		return run()
	}
	server, err := agentstatus.ListenSocket(ctx, h.dir.Socket(), daemon.Status, daemon.FlushHistory, h.logger)
	if err != nil {
		h.logger.Warn("agent status does not find this agent", zap.Error(err))
		return run()
	}
	defer server.Close()
	return run()
}

// Close releases the directory.
func (h *Home) Close() {
	if h.dir == nil {
		return
	}
	if err := h.dir.Close(); err != nil {
		h.logger.Warn("directory of the agent not released", zap.Error(err))
	}
}
