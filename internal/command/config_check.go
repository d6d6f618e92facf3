package command

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
)

const checkDescription = `Reads the settings that %[1]s start would, without its flags: environment, --config
FILE and defaults. It writes each with its value and where that is from, and to standard
error everything that is wrong: unknown keys and variables, values that cannot be used,
certificates and tokens that cannot be read, and files with secrets that other users can
read. It starts nothing and connects to nothing.

Without an argument it checks %[2]s.

Exit codes: 0 if nothing is wrong, 1 if something is.`

// check is what config check knows of a command that runs a service.
type check struct {
	name string // of its group, such as "agent"
	cmd  *cobra.Command
	// verify returns what is wrong once the settings were applied.
	verify func() error
}

// Check adds a command to those that config check checks. verify returns what is wrong with
// its settings, once they were applied.
func (a *App) Check(name string, cmd *cobra.Command, verify func() error) {
	a.checks = append(a.checks, check{name, cmd, verify})
}

// checkedSetting is a setting of one of several commands.
type checkedSetting struct {
	cli.Setting

	Command string `json:"command"`
}

// ConfigCheck returns `config check` for the commands that were added with Check.
func (a *App) ConfigCheck() *cobra.Command {
	names := make([]string, 0, len(a.checks))
	for _, c := range a.checks {
		names = append(names, c.name)
	}
	cmd := cli.Command("check ["+strings.Join(names, "|")+"]...", "check the settings of a service, and show where each comes from", nil)
	cmd.Long = fmt.Sprintf(checkDescription, strings.Join(names, " start and "), strings.Join(names, " and "))
	cmd.ValidArgs = names
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			if !slices.Contains(names, arg) {
				return cli.Usagef(cmd, "unknown service %q; it must be %s", arg, strings.Join(names, " or "))
			}
		}
		return nil
	}
	cmd.PersistentPreRun = func(*cobra.Command, []string) {} // it reports unknown variables itself
	out := outputFlag(cli.PerCall(cmd))                      // a command with settings would itself read the file
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		var problems []string
		if cmd.Root().PersistentPreRun != nil { // a program that has every command
			problems = cli.UnknownVariables(cmd.Root())
		}
		var settings []checkedSetting
		for _, c := range a.checks {
			if len(args) > 0 && !slices.Contains(args, c.name) {
				continue
			}
			of, failed := c.run()
			problems = append(problems, failed...)
			for _, setting := range of {
				settings = append(settings, checkedSetting{Command: c.name, Setting: setting})
			}
		}
		if err := a.writeSettings(out, settings, cli.ConfigPath(cmd)); err != nil {
			return err
		}
		problems = slices.DeleteFunc(problems, func(p string) bool { return p == "" })
		slices.Sort(problems)
		problems = slices.Compact(problems) // both commands read the file
		for _, problem := range problems {
			a.Notef("%s", problem)
		}
		if len(problems) > 0 {
			return fmt.Errorf("problems: %d; see the lines above", len(problems))
		}
		return nil
	}
	return cmd
}

// run returns the settings of the command and what is wrong with them.
func (c check) run() (settings []cli.Setting, problems []string) {
	settings, failed := cli.Inspect(c.cmd)
	if len(failed) == 0 { // else the consequences would be reported, too
		failed = append(failed, c.verify())
	}
	for _, err := range failed {
		if usage, ok := errors.AsType[*cli.UsageError](err); ok {
			err = usage.Unwrap()
		}
		if err != nil {
			problems = append(problems, strings.Split(err.Error(), "\n")...)
		}
	}
	return settings, problems
}

func (a *App) writeSettings(out *Output, settings []checkedSetting, file string) error {
	if out.JSON() {
		for _, setting := range settings {
			if err := a.WriteJSON(setting); err != nil {
				return err
			}
		}
		return nil
	}
	if err := a.Printf("configuration file: %s\n", file); err != nil {
		return err
	}
	return writeSettingsTable(a.Stdout, settings)
}

func writeSettingsTable(w io.Writer, settings []checkedSetting) error {
	const gap = 2
	t := tabwriter.NewWriter(w, 0, 0, gap, ' ', 0)
	last := ""
	for _, s := range settings {
		if s.Command != last {
			_, _ = fmt.Fprintf(t, "\n%s start\tFROM\tVALUE\n", s.Command) // Flush returns the error
		}
		last = s.Command
		value := s.Value
		if value == "" {
			value = "-"
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\n", s.Name, s.Source, value)
	}
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing the output: %w", err)
	}
	return nil
}
