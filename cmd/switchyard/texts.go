package main

import (
	"slices"
	"unicode/utf8"

	"github.com/urfave/cli/v3"
)

// checkTexts refuses what no command can mean: a flag that was given with nothing
// in it, as "$UNSET" is in a script, and text that is not UTF-8, which the control
// plane's API cannot carry. The name of a file may be any bytes.
func checkTexts(cmd *cli.Command) error {
	for _, flag := range cmd.Flags {
		text, ok := flag.(*cli.StringFlag)
		if !ok || !cmd.IsSet(text.Name) {
			continue
		}
		value := cmd.String(text.Name)
		switch {
		case value == "" && text.Name != flagReason:
			return usage(cmd, "--%s must not be empty", text.Name)
		case !text.TakesFile && !utf8.ValidString(value):
			return usage(cmd, "--%s is not UTF-8", text.Name)
		}
	}
	arguments := cmd.Args().Slice()
	if i := slices.IndexFunc(arguments, func(s string) bool { return !utf8.ValidString(s) }); i >= 0 {
		return usage(cmd, "argument %q is not UTF-8, and cannot be sent", arguments[i])
	}
	return nil
}
