package main

import (
	"errors"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/command"
)

// TestEveryFlagSaysWhatItTakes sets every flag of every command to values that few accept. A
// value that is refused is named once, by the error that all flags share; what follows says
// what the value must be.
func TestEveryFlagSaysWhatItTakes(t *testing.T) {
	t.Parallel()
	refused := 0
	root := (&app{App: command.App{Name: programName, Stdout: io.Discard, Stderr: io.Discard}}).root()
	eachCommand(root, func(cmd *cobra.Command) {
		cmd.LocalFlags().VisitAll(func(flag *pflag.Flag) {
			for _, text := range []string{"", "soon", "x?!", "-1", "0", "3", "7q", "-1s", "1e99", "99999999999999999999", "\xff"} {
				err := cmd.ParseFlags([]string{"--" + flag.Name + "=" + text})
				bad, ok := errors.AsType[*pflag.InvalidValueError](err)
				if !ok {
					continue
				}
				refused++
				cause := bad.Unwrap().Error()
				if !strings.HasPrefix(cause, "must ") || strings.Contains(cause, "\"") || strings.Contains(cause, "invalid") {
					t.Errorf("%s --%s=%q: %s", cmd.CommandPath(), flag.Name, text, cause)
				}
			}
		})
	})
	if refused < 500 {
		t.Errorf("only %d values were refused", refused)
	}
}

// TestInvalidValues shows the words for each kind of value.
func TestInvalidValues(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		declare func(cli.Flags)
		text    string
		want    string
	}{
		{number(0, math.MaxInt32), "soon", "must be a whole number from 0 to 2147483647"},
		{number(0, math.MaxInt32), "1.5", "must be a whole number from 0 to 2147483647"},
		{number(0, math.MaxInt32), "4294967296", "must be a whole number from 0 to 2147483647"},
		{number(0, math.MaxInt32), "99999999999999999999", "must be a whole number from 0 to 2147483647"},
		{number(0, math.MaxInt32), "-1", "must not be negative"},
		{number(1, 9), "0", "must be a whole number from 1 to 9"},
		{func(f cli.Flags) { cli.Var(f, new(int64), "x", "MIB", "a size", cli.Mebibytes(9)) }, "1G", "must be a whole number from 1 to 9"},
		{func(f cli.Flags) { cli.Var(f, new(float64), "x", "CPUS", "a number", cli.Decimal(0.5, 9)) }, "NaN", "must be a number from 0.5 to 9"},
		{func(f cli.Flags) { cli.Var(f, new(string), "x", "WORD", "a word", cli.OneOf("a", "b")) }, "c", "must be a or b"},
		{func(f cli.Flags) { cli.Var(f, new(string), "x", "WORD", "a word", cli.OneOf("a", "b", "c")) }, "d", "must be a, b or c"},
		{func(f cli.Flags) { f.Bool(new(bool), "x", "a bool") }, "maybe", "must be true or false"},
		{duration, "soon", "must be a duration such as 90s or 1h30m"},
		{duration, "3", "must have a unit, as in 3s"},
		{duration, "0s", "must be more than 0"},
	} {
		var stderr strings.Builder
		cmd := cli.Command("test", "test", nil)
		row.declare(cli.PerCall(cmd))
		cli.Finish(cmd)
		cmd.RunE = func(*cobra.Command, []string) error { return nil }
		a := &command.App{Name: "test", Stdout: io.Discard, Stderr: &stderr}
		a.Run(t.Context(), cmd, []string{"--x=" + row.text}, func(error) (int, bool) { return 2, false })
		if want := "test: invalid value \"" + row.text + "\" for --x: " + row.want + "; see `test --help`\n"; stderr.String() != want {
			t.Errorf("%s, want %s", stderr.String(), want)
		}
	}
}

func number(low, high int) func(cli.Flags) {
	return func(f cli.Flags) { cli.Var(f, new(int), "x", "NUMBER", "a number", cli.Number(low, high)) }
}

func duration(f cli.Flags) {
	cli.Var(f, new(time.Duration), "x", "DURATION", "a time", cli.Positive)
}
