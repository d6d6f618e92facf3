package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/command"
)

// perCall are the flags that belong to one call, and so have neither a variable
// nor a key: in a file they would apply to every call.
var perCall = []string{
	"help", "version", "file",
	"idempotency-key", "state", "outcome", "no-retry", "worker", "follow", "offset", "reason", "force", "format", "guards", "effects",
	"tail", "limit", "all", "page", "sort", "since", "until", "job", "machine", "self-loops", "highlight",
	"failed", "lost", "stdin", "wait", "waiting-longer-than", "delete", "keep-waiting", "dir", "scope", "expires-in", "output-file", "revoked", "show-secrets",
	"jobs", "in-flight", "losses", "pauses", "together", "rows", "scripts", "job-in-flight", "job-kills", "job-faults",
}

// eachCommand calls do for root and every command below it.
func eachCommand(root *cobra.Command, do func(*cobra.Command)) {
	do(root)
	for _, cmd := range root.Commands() {
		eachCommand(cmd, do)
	}
}

// TestEverySettingIsInHelp visits the flags of every command: each one either has
// its environment variable and its key in the help, or belongs to one call.
func TestEverySettingIsInHelp(t *testing.T) {
	t.Parallel()
	root := (&app{App: command.App{Name: programName, Stdout: io.Discard, Stderr: io.Discard}}).root()
	keys := map[string]bool{}
	eachCommand(root, func(cmd *cobra.Command) {
		if cmd.Short == "" {
			t.Errorf("%s has no help", cmd.CommandPath())
		}
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			usage, sources, isSetting := strings.Cut(flag.Usage, "[$")
			if usage == "" {
				t.Errorf("%s --%s has no help", cmd.CommandPath(), flag.Name)
			}
			if !isSetting {
				// --queue of a list and --mode of verify are filters, and config check has an
				// --output of its own; elsewhere they are settings.
				filter := (flag.Name == "queue" || flag.Name == "tag") && cmd.Parent().Name() != "agent" && cmd.Name() != "up" && cmd.Name() != "submit" || flag.Name == "mode" && cmd.Name() == "verify" || flag.Name == "output" && cmd.Name() == "check"
				if !filter && !slices.Contains(perCall, flag.Name) {
					t.Errorf("%s --%s is neither a setting nor a flag of one call", cmd.CommandPath(), flag.Name)
				}
				return
			}
			variable, key, ok := strings.Cut(strings.TrimSuffix(sources, "]"), "] [")
			if !ok || cli.EnvName(key) != variable || key != flag.Name && !strings.HasSuffix(key, "."+flag.Name) {
				t.Errorf("%s --%s has the variable %q and the key %q", cmd.CommandPath(), flag.Name, variable, key)
			}
			keys[key] = true
		})
	})
	if len(keys) < 30 {
		t.Errorf("only %d settings: %v", len(keys), keys)
	}
}

// TestHelpIsShownForEveryCommand checks that the help of each command has its
// description and its flags.
func TestHelpIsShownForEveryCommand(t *testing.T) {
	t.Parallel()
	var paths [][]string
	eachCommand((&app{App: command.App{Name: programName, Stdout: io.Discard, Stderr: io.Discard}}).root(), func(cmd *cobra.Command) {
		paths = append(paths, strings.Fields(cmd.CommandPath())[1:])
	})
	for _, path := range paths {
		var out, errs bytes.Buffer
		if code := run(t.Context(), append(path, "--help"), &out, &errs); code != 0 || errs.Len() > 0 {
			t.Errorf("%v --help: exit code %d, %s", path, code, errs.String())
		}
		if !strings.Contains(out.String(), "Usage:\n  "+strings.Join(append([]string{programName}, path...), " ")) {
			t.Errorf("%v --help has no usage:\n%s", path, out.String())
		}
	}
}
