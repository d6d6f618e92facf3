package main

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

const (
	// What the library calls a flag that it does not know, and one with a bad value.
	libraryUnknownFlag = "flag provided but not defined: -"
	libraryBadFlag     = " for flag -"
	libraryNoValue     = "flag needs an argument: "
)

// subject is the command that a message is about, without the program's name,
// as the beginning of the message.
func subject(cmd *cli.Command) string {
	if short, ok := strings.CutPrefix(cmd.FullName(), name+" "); ok {
		return short + ": "
	}
	return ""
}

// onUsageError says in one line what the library refused.
func onUsageError(_ context.Context, cmd *cli.Command, err error, _ bool) error {
	message := err.Error()
	if unknown, ok := strings.CutPrefix(message, libraryUnknownFlag); ok {
		return usage(cmd, "unknown flag %s%s", dashed(unknown), didYouMean(unknown, cli.SuggestFlag(flagsOf(cmd), unknown, false)))
	}
	if flag, ok := strings.CutPrefix(message, libraryNoValue); ok {
		return usage(cmd, "%s needs a value", flag)
	}
	if before, after, ok := strings.Cut(message, libraryBadFlag); ok {
		flag, why, _ := strings.Cut(after, ":")
		return usage(cmd, "%s for %s:%s", before, dashed(flag), why)
	}
	return usage(cmd, "%w", err)
}

var (
	libraryBadSource = regexp.MustCompile(`(?s)^could not parse (".*") as \S+ value from (.*) for flag ([\w-]+): (.*)$`)
	unitMissing      = regexp.MustCompile(`time: missing unit in duration "([^"]*)"`)
	negativeCount    = regexp.MustCompile(`strconv\.ParseUint: parsing "-\d+": invalid syntax`)
	strconvNoise     = regexp.MustCompile(`strconv\.\w+: parsing ".*": `)
)

// plain is a message of the library, or of strconv behind it, without what
// concerns only them.
func plain(message string) string {
	message = libraryBadSource.ReplaceAllString(message, "$2: invalid value $1 for --$3: $4")
	message = unitMissing.ReplaceAllString(message, "a duration needs a unit, as in ${1}s")
	message = negativeCount.ReplaceAllString(message, "must not be negative")
	return strconvNoise.ReplaceAllString(message, "")
}

// flagsOf are the flags that cmd takes, its own and the global ones.
func flagsOf(cmd *cli.Command) []cli.Flag {
	return append(append([]cli.Flag{}, cmd.VisibleFlags()...), cmd.VisiblePersistentFlags()...)
}

func dashed(flag string) string {
	if len(flag) == 1 {
		return "-" + flag
	}
	return "--" + flag
}

// didYouMean offers what the library suggests, unless the first letters differ:
// it suggests something for everything.
func didYouMean(word, suggestion string) string {
	bare := strings.TrimLeft(suggestion, "-")
	if bare == "" || word == "" || bare[0] != word[0] {
		return ""
	}
	return "; did you mean " + suggestion + "?"
}

// noArguments refuses arguments to a command that takes none.
func noArguments(cmd *cli.Command) error {
	if cmd.Args().Present() {
		return usage(cmd, "it takes no arguments, so what is %q?", cmd.Args().First())
	}
	return nil
}

// oneArgument is the command's single argument.
func oneArgument(cmd *cli.Command, what string) (string, error) {
	args, err := someArguments(cmd, what)
	if err != nil {
		return "", err
	}
	if len(args) > 1 {
		return "", usage(cmd, "it takes one %s, so what is %q?", what, args[1])
	}
	return args[0], nil
}

// someArguments are the command's arguments, of which there must be one at least.
func someArguments(cmd *cli.Command, what string) ([]string, error) {
	args := cmd.Args().Slice()
	if len(args) == 0 {
		return nil, usage(cmd, "it wants a %s", what)
	}
	if slices.Contains(args, "") {
		return nil, usage(cmd, "a %s must not be empty", what)
	}
	return args, nil
}

// group is the Action of a command that only holds others.
func (a *app) group(_ context.Context, cmd *cli.Command) error {
	if !cmd.Args().Present() {
		showHelp(cmd)
		return nil
	}
	word := cmd.Args().First()
	suggestion := cli.SuggestCommand(cmd.VisibleCommands(), word)
	if cmd.Command(suggestion) == nil {
		suggestion = ""
	}
	return usage(cmd, "unknown command %q%s", word, didYouMean(word, suggestion))
}
