package cli

import (
	"slices"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/config"
)

// Command returns a command without flags. use is its name and its arguments,
// short what it does in one line; args checks the arguments.
func Command(use, short string, args cobra.PositionalArgs) *cobra.Command {
	return &cobra.Command{Use: use, Short: short, Args: args}
}

// Group returns a command that only holds others. Without an argument it shows
// its help.
func Group(name, short string, commands ...*cobra.Command) *cobra.Command {
	group := Command(name, short, unknownCommand)
	group.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	group.AddCommand(commands...)
	return group
}

// unknownCommand refuses an argument of a command that only holds others.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, child := range cmd.Commands() {
		if child.IsAvailableCommand() {
			names = append(names, child.Name())
		}
	}
	hint := config.DidYouMean(args[0], "", names)
	if meant := suggested(cmd, args[0]); meant != "" {
		hint = "; did you mean " + meant + "?"
	}
	return Usagef(cmd, "unknown command %q%s", args[0], hint)
}

// suggested returns the command that is suggested for an unknown one below a group: one of
// the group that names it in SuggestFor, or one of that name in another group that names
// the group there. It returns "" if there is none.
func suggested(group *cobra.Command, word string) string {
	for _, child := range group.Commands() {
		if slices.Contains(child.SuggestFor, word) {
			return child.Name()
		}
	}
	if !group.HasParent() {
		return ""
	}
	for _, other := range group.Parent().Commands() {
		if !slices.Contains(other.SuggestFor, group.Name()) {
			continue
		}
		for _, child := range other.Commands() {
			if child.Name() == word || slices.Contains(child.SuggestFor, word) {
				return other.Name() + " " + child.Name()
			}
		}
	}
	return ""
}

// NoArgs refuses all arguments.
func NoArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return Usagef(cmd, "unexpected argument %q: the command takes no arguments", args[0])
	}
	return nil
}

// OneArg returns a check for exactly one argument, such as a "job ID".
func OneArg(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) > 1 {
			return Usagef(cmd, "unexpected argument %q: the command takes one %s", args[1], what)
		}
		return SomeArgs(what)(cmd, args)
	}
}

// SomeArgs returns a check for at least one argument, none of them empty.
func SomeArgs(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return Usagef(cmd, "missing %s", what)
		case slices.Contains(args, ""):
			return Usagef(cmd, "a %s must not be empty", what)
		}
		return nil
	}
}

// Finish prepares a program's root command after all others were added to it:
// every command takes its settings before it runs, and has this package's help
// and errors.
func Finish(root *cobra.Command) {
	root.Args, root.RunE = unknownCommand, func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	root.SilenceErrors, root.SilenceUsage = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagError)
	root.SetUsageFunc(writeUsage)
	addConfigFlag(root)
	root.AddCommand(completion(), manual())
	root.SetHelpCommand(help())
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.Flags().SortFlags = false
		if run := cmd.RunE; run != nil && !cmd.HasSubCommands() {
			cmd.RunE = func(cmd *cobra.Command, args []string) error { return runWithSettings(cmd, args, run) }
		}
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(root)
}

func runWithSettings(cmd *cobra.Command, args []string, run func(*cobra.Command, []string) error) error {
	if i := slices.IndexFunc(args, func(s string) bool { return !utf8.ValidString(s) }); i >= 0 {
		return Usagef(cmd, "argument %q is not UTF-8, and cannot be sent", args[i])
	}
	if err := applySettings(cmd); err != nil {
		return err
	}
	if err := checkSecretFiles(cmd); err != nil {
		return err
	}
	return run(cmd, args)
}
