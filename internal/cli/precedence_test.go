package cli

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// agentCommand is a command line with one command, for tests.
type agentCommand struct {
	root  *cobra.Command
	spawn int
	tags  []string
	flags []Flag // of spawn and tags
}

func newAgentCommand() *agentCommand {
	a := &agentCommand{root: &cobra.Command{Use: "program"}, spawn: 1}
	cmd := Command("agent", "run an agent", NoArgs)
	flags := Settings(cmd, "agent")
	a.flags = []Flag{
		Var(flags, &a.spawn, "spawn", "NUMBER", "number of workers", Number(1, 100)),
		List(flags, &a.tags, "tag", "KEY=VALUE", "tag of the workers", Each(AnyText)),
	}
	cmd.RunE = func(*cobra.Command, []string) error { return nil }
	a.root.AddCommand(cmd)
	Finish(a.root)
	return a
}

// TestPrecedence has one row for each source of a value.
func TestPrecedence(t *testing.T) {
	tests := []struct {
		name   string
		args   []string
		env    map[string]string
		yaml   string
		spawn  int
		tags   []string
		origin origin // of both
	}{
		{name: "default", spawn: 1, tags: nil, origin: fromDefault},
		{
			name: "file", yaml: "agent: {spawn: 2, tag: ['a=1,2', b]}",
			spawn: 2, tags: []string{"a=1,2", "b"}, origin: fromFile,
		},
		{
			name: "environment over file", yaml: "agent: {spawn: 2, tag: [a]}",
			env:   map[string]string{"SWITCHYARD_AGENT_SPAWN": "3", "SWITCHYARD_AGENT_TAG": "c=1,d"},
			spawn: 3, tags: []string{"c=1", "d"}, origin: fromEnv,
		},
		{
			name: "flag over both", yaml: "agent: {spawn: 2, tag: [a]}",
			env:   map[string]string{"SWITCHYARD_AGENT_SPAWN": "3", "SWITCHYARD_AGENT_TAG": "c"},
			args:  []string{"--spawn", "4", "--tag", "e=1,2", "--tag", "f"},
			spawn: 4, tags: []string{"e=1,2", "f"}, origin: fromFlag,
		},
		{
			name: "empty environment", yaml: "agent: {spawn: 2, tag: [a]}",
			env:   map[string]string{"SWITCHYARD_AGENT_SPAWN": "", "SWITCHYARD_AGENT_TAG": ""},
			spawn: 2, tags: []string{"a"}, origin: fromFile,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("SWITCHYARD_CONFIG", "")
			if tt.yaml != "" {
				path := filepath.Join(t.TempDir(), "switchyard.yaml")
				if err := os.WriteFile(path, []byte(tt.yaml), 0o600); err != nil {
					t.Fatal(err)
				}
				t.Setenv("SWITCHYARD_CONFIG", path)
			}
			for name, value := range tt.env {
				t.Setenv(name, value)
			}
			a := newAgentCommand()
			a.root.SetArgs(append([]string{"agent"}, tt.args...))
			if err := a.root.ExecuteContext(context.Background()); err != nil {
				t.Fatal(err)
			}
			if a.spawn != tt.spawn {
				t.Errorf("spawn %d, want %d", a.spawn, tt.spawn)
			}
			if !slices.Equal(a.tags, tt.tags) {
				t.Errorf("tags %q, want %q", a.tags, tt.tags)
			}
			for _, flag := range a.flags {
				if got := flag.origin(); got != tt.origin {
					t.Errorf("origin of --%s %v, want %v", flag.flag.Name, got, tt.origin)
				}
			}
		})
	}
}

// TestNumber checks the bounds of whole numbers and the texts of their errors.
func TestNumber(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, want string }{
		{"0", ""},
		{"255", ""},
		{"010", ""},
		{"0300", "must be a whole number from 0 to 255"},
		{"0x10", "must be a whole number from 0 to 255"},
		{"1_0", "must be a whole number from 0 to 255"},
		{"-1", "must not be negative"},
		{"256", "must be a whole number from 0 to 255"},
		{"9223372036854775808", "must be a whole number from 0 to 255"},
		{"x", "must be a whole number from 0 to 255"},
	} {
		_, err := Number[uint8](0, 255)(row.text)
		if (err == nil) != (row.want == "") || err != nil && err.Error() != row.want {
			t.Errorf("%s: error %v, want %q", row.text, err, row.want)
		}
	}
	if n, err := Number(1, 1000)("010"); n != 10 || err != nil {
		t.Errorf("010 is %d, %v; want 10", n, err)
	}
	if n, err := Decimal(0.01, 100)("0x1p-2"); err == nil {
		t.Errorf("0x1p-2 is %v, want an error", n)
	}
	if _, err := Number(1, 9)("0"); err == nil || !strings.Contains(err.Error(), "must be a whole number from 1 to 9") {
		t.Errorf("error %v", err)
	}
}

func TestEnvName(t *testing.T) {
	t.Parallel()
	if got := EnvName("agent.cancel-grace"); got != "SWITCHYARD_AGENT_CANCEL_GRACE" {
		t.Errorf("got %s", got)
	}
}

// TestReread changes the file of a command that runs, and checks the values after that.
func TestReread(t *testing.T) {
	for _, row := range []struct {
		name   string
		args   []string
		env    map[string]string
		yaml   string // the file as it is read again
		spawn  int
		tags   []string
		origin origin
		err    string
	}{
		{name: "a changed value", yaml: "agent: {spawn: 7, tag: [x, y]}", spawn: 7, tags: []string{"x", "y"}, origin: fromFile},
		{name: "a value that is gone", yaml: "agent: {}", spawn: 1, origin: fromDefault},
		{name: "a value that is set elsewhere, too", env: map[string]string{"SWITCHYARD_AGENT_SPAWN": "3", "SWITCHYARD_AGENT_TAG": "c"}, yaml: "agent: {spawn: 7, tag: [x]}", spawn: 3, tags: []string{"c"}, origin: fromEnv},
		{name: "a value of the command line", args: []string{"--spawn", "4", "--tag", "e"}, yaml: "agent: {spawn: 7, tag: [x]}", spawn: 4, tags: []string{"e"}, origin: fromFlag},
		{name: "a bad value", yaml: "agent: {spawn: many, tag: [a]}", spawn: 2, tags: []string{"a"}, origin: fromFile, err: "line 1, agent.spawn"},
		{name: "a bad file", yaml: "agent: 7", spawn: 2, tags: []string{"a"}, origin: fromFile, err: "agent must hold keys"},
	} {
		t.Run(row.name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "config.yaml")
			write := func(text string) {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			write("agent: {spawn: 2, tag: [a]}")
			for name, value := range row.env {
				t.Setenv(name, value)
			}
			a := newAgentCommand()
			a.root.SetArgs(append([]string{"agent", "--config", file}, row.args...))
			cmd, err := a.root.ExecuteC()
			if err != nil {
				t.Fatal(err)
			}
			write(row.yaml)
			var text string
			for _, flag := range a.flags {
				if err := Reread(cmd, flag); err != nil {
					text += err.Error()
				}
			}
			if (text != "") != (row.err != "") || !strings.Contains(text, row.err) {
				t.Errorf("error %q, want one with %q", text, row.err)
			}
			if a.spawn != row.spawn || !slices.Equal(a.tags, row.tags) {
				t.Errorf("got %d and %q, want %d and %q", a.spawn, a.tags, row.spawn, row.tags)
			}
			for _, flag := range a.flags {
				if flag.origin() != row.origin {
					t.Errorf("origin %d, want %d", flag.origin(), row.origin)
				}
			}
		})
	}
}
