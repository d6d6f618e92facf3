package main

import (
	"context"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/config"
)

const flagConfig = "config"

const description = `Switchyard gives jobs to machines at once and loses none. An agent on each
machine holds a stream open to a control plane, which pushes work down it; when
the stream is sick the agent polls, and when it is well again it takes over.

Begin with:
  switchyard up                                    in one terminal, and
  switchyard job submit --wait -- echo hello       in another

A setting is taken from its flag, else from its environment variable, else from
the YAML file that --config names, else it has its default. The help of a command
shows for each flag the variable as [$NAME] and the key in the file as [KEY]; a
key such as agent.spawn is "spawn:" below "agent:". A flag without them belongs
to one call alone. Durations are written like 1m30s.

` + exitCodes

// root is the command that all others hang from.
func (a *app) root() *cli.Command {
	return &cli.Command{
		Name:        name,
		Usage:       "jobs to machines, at once, and none lost",
		Description: description,
		Version:     readVersion().Version,
		Writer:      a.stdout,
		ErrWriter:   a.stderr,

		EnableShellCompletion:           true,
		ConfigureShellCompletionCommand: a.completion,
		HideHelpCommand:                 true, // or `job submit -- help` would show help
		SliceFlagSeparator:              config.ListSeparator,
		ExitErrHandler:                  func(context.Context, *cli.Command, error) {}, // report does it
	}
}

// build hangs the commands and the global flags on root.
func (a *app) build(root *cli.Command) {
	root.Flags = []cli.Flag{&cli.StringFlag{
		Name: flagConfig, Usage: "read settings from the YAML `FILE`",
		Sources: a.settings.EnvOnly(flagConfig), TakesFile: true,
	}}
	root.Before = func(ctx context.Context, _ *cli.Command) (context.Context, error) {
		return ctx, a.settings.Err()
	}
	root.Commands = []*cli.Command{
		a.up(),
		a.server(),
		a.agent(),
		a.job(),
		a.workers(),
		a.redact(),
		a.fsm(),
		a.demo(),
		a.version(),
		a.help(),
	}
	_ = root.Walk(func(cmd *cli.Command) error { // the function below does not fail
		a.finish(cmd)
		return nil
	})
}

// finish gives a command what all commands have.
func (a *app) finish(cmd *cli.Command) {
	cmd.OnUsageError = onUsageError
	cmd.SliceFlagSeparator = config.ListSeparator
	cmd.ShellComplete = a.complete
	for _, flag := range cmd.Flags {
		if flag, ok := flag.(cli.StringerSetter); ok {
			flag.SetStringer(a.settings.Describe)
		}
	}
	if cmd.Action == nil {
		cmd.Action = a.group
		return
	}
	cmd.Action = action(cmd.Action)
	// `job show ID --help` would look for a command ID and not find it.
	cmd.CommandNotFound = func(_ context.Context, cmd *cli.Command, _ string) { showHelp(cmd) }
}
