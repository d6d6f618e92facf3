package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
)

const (
	flagOutput = "output"

	outputText = "text"
	outputJSON = "json"
)

// outputFlag chooses between output for people and output for programs.
func (a *app) outputFlag() cli.Flag {
	return &cli.StringFlag{
		Name: flagOutput, Aliases: []string{"o"}, Value: outputText,
		Usage:     "write `FORMAT`: text for people, or json for programs, one object a line",
		Sources:   a.settings.Value(flagOutput),
		Validator: oneOf(outputText, outputJSON),
	}
}

func asJSON(cmd *cli.Command) bool { return cmd.String(flagOutput) == outputJSON }

// oneOf accepts the words and no other.
func oneOf(words ...string) func(string) error {
	return func(value string) error {
		if slices.Contains(words, value) {
			return nil
		}
		return fmt.Errorf("must be %s", strings.Join(words, " or "))
	}
}

// printf writes to standard output.
func (a *app) printf(format string, args ...any) error {
	if _, err := fmt.Fprintf(a.stdout, format, args...); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
