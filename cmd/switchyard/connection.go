package main

import (
	"context"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/config"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	"github.com/switchyard-ci/switchyard/internal/present"
	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
)

// connection holds the flags for the control plane that a command calls.
type connection struct {
	*command.Output

	options client.Options
	token   *cli.Token
	dataDir *command.DataDir
	tls     config.ClientTLSOptions

	repeated []repeatedFlag
}

// repeatedFlag is a flag that another command for the same control plane needs.
type repeatedFlag struct {
	flag  cli.Flag
	name  string
	value func() string
}

// connectionFlags declares the flags, after all others that name something of the control
// plane.
func connectionFlags(cmd *cobra.Command) *connection {
	c := &connection{
		Output:  command.OutputFlag(cmd),
		options: client.Options{Endpoints: []string{client.DefaultEndpoint}, UserAgent: command.UserAgent(programName)},
	}
	flags := cli.Settings(cmd, "")
	endpoint := cli.List(flags, &c.options.Endpoints, "endpoint", "URL",
		"URL of the control plane: http, https, or unix:///path/to.sock for a Unix socket; repeated, or with commas, "+
			"for replicas of one control plane, which are tried in this order", command.ParseEndpoints)
	c.token = flags.Token("admin-token", "admin token of the control plane, or a named token",
		"admin-token in the data directory, if the control plane is on this machine")
	c.dataDir = command.NewDataDir(cmd, "data directory of a control plane on this machine, with its admin token")
	ca := flags.File(&c.tls.CAFile, "ca-file", "FILE", "PEM file of the authorities to trust for the control plane's certificate").
		Default("the system's")
	c.repeated = []repeatedFlag{
		{endpoint, "--endpoint", func() string { return strings.Join(c.options.Endpoints, ",") }},
		{c.token.File, "--admin-token-file", func() string { return c.token.Path }},
		{c.dataDir.Flag, "--data-dir", func() string { return c.dataDir.Path }},
		{ca, "--ca-file", func() string { return c.tls.CAFile }},
	}
	c.completeValues(cmd)
	return c
}

// patienceFlag declares the flag of the commands that follow a job.
func (c *connection) patienceFlag(cmd *cobra.Command) {
	c.options.Patience = client.DefaultPatience
	cli.Var(cli.Settings(cmd, ""), &c.options.Patience, "patience", "DURATION",
		"how long to try again when the control plane cannot be reached any more", cli.Positive)
}

// arguments returns the flags, with a space before each, that make another
// command call the same control plane. It leaves out tokens.
func (c *connection) arguments() string {
	var b strings.Builder
	for _, f := range c.repeated {
		if f.flag.IsSet() {
			b.WriteString(" " + f.name + " " + present.Command([]string{f.value()}))
		}
	}
	return b.String()
}

// withClient returns what a command runs: it connects, calls run, and closes the
// client.
func (c *connection) withClient(
	run func(ctx context.Context, client *client.Client, args []string) error,
) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, args []string) error {
		caller, err := c.connect(cmd)
		if err != nil {
			return err
		}
		defer caller.Close()
		return run(cmd.Context(), caller, args)
	}
}

func (c *connection) connect(cmd *cobra.Command) (*client.Client, error) {
	options := c.options
	options.Trace = tracecontext.Parent{TraceParent: os.Getenv(tracecontext.EnvParent), TraceState: os.Getenv(tracecontext.EnvState)}
	var err error
	options.Token, err = command.LocalToken(cmd, c.token, options.Endpoints, c.dataDir, "admin token", datadir.AdminTokenFile)
	if err != nil {
		return nil, err
	}
	if options.TLS, err = config.ClientTLS(c.tls); err != nil {
		return nil, cli.Usagef(cmd, "%w", err)
	}
	caller, err := client.New(options)
	if err != nil {
		return nil, cli.Usagef(cmd, "%w", err)
	}
	return caller, nil
}
