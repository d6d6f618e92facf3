package command

import (
	"context"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/telemetry/agentstatus"
)

// status serves the status of an agent where --status-listen asks for it, and costs
// nothing elsewhere.
type status struct {
	listen  string
	metrics *agentstatus.Metrics // nil where it is not asked for
}

// statusFlag declares the flag.
func statusFlag(flags cli.Flags) *status {
	s := &status{}
	flags.Text(&s.listen, "status-listen", "HOST:PORT",
		"address of /metrics, /status and /healthz, without authentication; without a HOST on this machine only").Default("not served")
	return s
}

// observe has the agent of a configuration counted.
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
	server, err := s.metrics.Listen(ctx, s.listen, daemon.Status, logger)
	if err != nil {
		return err
	}
	defer server.Close()
	return run()
}
