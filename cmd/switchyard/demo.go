package main

import (
	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/demo"
)

const demoDescription = `Starts a control plane, an agent, and between them a proxy that can cut the stream
and nothing else, all on loopback and in a temporary directory. Jobs reach the
agent over the stream; the stream is cut while one runs; polling brings another;
the stream is repaired while that one runs. The demo shows every transition of the
worker as it happens, and at the end the changes of each job. It takes less than 30
seconds.

Exit codes: 0 when no job was lost or run twice and control changed hands as
expected, 1 when not.`

// demo returns `switchyard demo`.
func (a *app) demo() *cobra.Command {
	cmd := cli.Command("demo", "see jobs survive the loss of the stream, on real processes and sockets", cli.NoArgs)
	cmd.Long = demoDescription
	var transitionLog string
	command.TransitionLogFlag(cmd, &transitionLog)
	log := command.NewLogFlags(cmd, zapcore.ErrorLevel)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		ctx, stop := cli.Interruptible(cmd.Context())
		defer stop()
		return demo.Run(ctx, a.Stdout, transitionLog, log.Logger())
	}
	return cmd
}
