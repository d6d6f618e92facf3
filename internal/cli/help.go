package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// helpWidth is the number of columns to which the texts of flags are wrapped.
const helpWidth = 110

// writeUsage writes the part of a command's help below its description: how it
// is called, its commands and its flags.
func writeUsage(cmd *cobra.Command) error {
	var b strings.Builder
	use := cmd.UseLine()
	if cmd.HasAvailableSubCommands() {
		use = cmd.CommandPath() + " COMMAND [flags]"
	}
	fmt.Fprintf(&b, "Usage:\n  %s\n", use)
	if cmd.HasAvailableSubCommands() {
		b.WriteString("\nCommands:\n")
		for _, child := range cmd.Commands() {
			if child.IsAvailableCommand() {
				fmt.Fprintf(&b, "  %-*s  %s\n", child.NamePadding(), child.Name(), child.Short)
			}
		}
	}
	if flags := cmd.LocalFlags(); flags.HasAvailableFlags() {
		b.WriteString("\nFlags:\n" + flags.FlagUsagesWrapped(helpWidth))
	}
	if flags := cmd.InheritedFlags(); flags.HasAvailableFlags() {
		b.WriteString("\nFlags of every command:\n" + flags.FlagUsagesWrapped(helpWidth))
	}
	_, err := fmt.Fprint(cmd.OutOrStdout(), b.String())
	if err != nil {
		return fmt.Errorf("writing the help: %w", err)
	}
	return nil
}

// help returns the command that shows the help of another one.
func help() *cobra.Command {
	cmd := Command("help [COMMAND...]", "show the help of a command", cobra.ArbitraryArgs)
	cmd.ValidArgsFunction = func(cmd *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		topic, _, _ := cmd.Root().Find(args)
		names := make([]cobra.Completion, 0, len(topic.Commands()))
		for _, child := range topic.Commands() {
			names = append(names, cobra.CompletionWithDesc(child.Name(), child.Short))
		}
		return names, cobra.ShellCompDirectiveNoFileComp
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		topic, rest, err := cmd.Root().Find(args)
		if err != nil {
			return err //nolint:wrapcheck // it names the command
		}
		if err := unknownCommand(topic, rest); err != nil {
			return err
		}
		topic.InitDefaultHelpFlag()
		return topic.Help()
	}
	return cmd
}
