package main

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/command"
)

// TestEveryFlagChangesWhatIsRead sets one flag after another to a value that is
// not its default: each must change the configuration that the command hands on.
func TestEveryFlagChangesWhatIsRead(t *testing.T) {
	t.Setenv("XDG_STATE_HOME", t.TempDir())
	token := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(token, []byte("some-other-token"), 0o600); err != nil {
		t.Fatal(err)
	}
	variables := filepath.Join(t.TempDir(), "variables")
	if err := os.WriteFile(variables, []byte("K=v\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	// samples has a value for the name of a flag, or else for its placeholder.
	samples := map[string]string{
		"NUMBER": "7", "CPUS": "1.5", "DURATION": "17s", "MIB": "7", "bool": "true", "TOKEN": "some-other-token",
		"FILE": "x", "DIR": "x", "NAME": "x", "URL": "x", "HOST:PORT": "h:1", "COMMIT": "x", "BRANCH": "x", "KEY": "x",
		"KEY=VALUE": "k=v", "NAME=VALUE": "K=v", "GLOB": "X_*", "SIGNAL": "INT",
		"stream": "false", "mode": "poll-only", "stream-protocol": "connect", "build-cleanup": "never",
		"shell": "/bin/sh -c", "executor": "/bin/sh", "git-submodules": "false", "output": "json", "access-log": "all",
		"env-file": variables, "endpoint": "http://x",
		"registration-token-file": token, "admin-token-file": token,
	}
	logger := zap.NewNop()
	for _, row := range []struct {
		name string
		// declare declares the flags, and returns a function that returns the configuration.
		declare func(*cobra.Command) func() any
	}{
		{"agent", func(cmd *cobra.Command) func() any {
			f := command.NewAgentFlags(command.NewDataDir(cmd, "data directory"))
			f.Declare(cmd)
			return func() any { c, _ := f.Read(cmd, logger); return c }
		}},
		{"server", func(cmd *cobra.Command) func() any {
			s := newServerFlags(cmd, command.NewDataDir(cmd, "data directory"))
			return func() any { c, _ := s.read(cmd, logger); return c } // one flag alone may be refused
		}},
		{"job", func(cmd *cobra.Command) func() any {
			s := newSubmission(cmd)
			return func() any {
				if s.commit != "" || s.branch != "" {
					s.repo = "r" // the two need it
				}
				request, err := s.read(cmd, cmd.Flags().Args())
				if err != nil {
					t.Error(err)
				}
				return []any{request.String(), s.file}
			}
		}},
		{"connection", func(cmd *cobra.Command) func() any {
			c := connectionFlags(cmd)
			c.patienceFlag(cmd)
			return func() any {
				given, _ := c.token.Read()
				return []any{c.options, c.tls, c.dataDir.Path, c.JSON(), given}
			}
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			readWith := func(args ...string) any {
				cmd := cli.Command("test", "test", nil)
				cmd.SetIn(strings.NewReader("a script"))
				read := row.declare(cmd)
				if err := cmd.ParseFlags(append(args, "--", "true")); err != nil {
					t.Fatal(err)
				}
				return read()
			}
			cmd := cli.Command("test", "test", nil)
			row.declare(cmd)
			defaults := readWith()
			cmd.Flags().VisitAll(func(flag *pflag.Flag) {
				sample, ok := samples[flag.Name]
				if !ok {
					sample, ok = samples[flag.Value.Type()]
				}
				if !ok {
					t.Errorf("no sample value for --%s %s", flag.Name, flag.Value.Type())
				}
				if reflect.DeepEqual(readWith("--"+flag.Name+"="+sample), defaults) {
					t.Errorf("--%s=%s changes nothing", flag.Name, sample)
				}
			})
		})
	}
}
