package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

// help is `switchyard help [COMMAND...]`.
func (a *app) help() *cli.Command {
	return &cli.Command{
		Name:      "help",
		Usage:     "show the help of a command",
		ArgsUsage: "[COMMAND...]",
		Action: func(_ context.Context, cmd *cli.Command) error {
			topic := cmd.Root()
			for _, word := range cmd.Args().Slice() {
				next := topic.Command(word)
				if next == nil {
					return usage(topic, "unknown command %q", word)
				}
				topic = next
			}
			showHelp(topic)
			return nil
		},
	}
}

// showHelp writes the help of a command to standard output.
func showHelp(cmd *cli.Command) {
	template := cli.CommandHelpTemplate
	switch {
	case cmd == cmd.Root():
		template = cli.RootCommandHelpTemplate
	case len(cmd.VisibleCommands()) > 0:
		template = cli.SubcommandHelpTemplate
	}
	cli.HelpPrinter(cmd.Root().Writer, template, cmd)
}
