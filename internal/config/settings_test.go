package config

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/urfave/cli/v3"
)

// TestPrecedence has one row for each place that a value can come from.
func TestPrecedence(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		args   []string
		env    map[string]string
		yaml   string
		spawn  int
		tags   []string
		origin Origin // of both
	}{
		{name: "default", spawn: 1, tags: nil, origin: FromDefault},
		{
			name: "file", yaml: "agent: {spawn: 2, tag: ['a=1,2', b]}",
			spawn: 2, tags: []string{"a=1,2", "b"}, origin: FromFile,
		},
		{
			name: "environment over file", yaml: "agent: {spawn: 2, tag: [a]}",
			env:   map[string]string{"SWITCHYARD_AGENT_SPAWN": "3", "SWITCHYARD_AGENT_TAG": "c=1,d"},
			spawn: 3, tags: []string{"c=1", "d"}, origin: FromEnv,
		},
		{
			name: "flag over both", yaml: "agent: {spawn: 2, tag: [a]}",
			env:   map[string]string{"SWITCHYARD_AGENT_SPAWN": "3", "SWITCHYARD_AGENT_TAG": "c"},
			args:  []string{"--spawn", "4", "--tag", "e=1,2", "--tag", "f"},
			spawn: 4, tags: []string{"e=1,2", "f"}, origin: FromFlag,
		},
		{
			name: "empty environment", yaml: "agent: {spawn: 2, tag: [a]}",
			env:   map[string]string{"SWITCHYARD_AGENT_SPAWN": "", "SWITCHYARD_AGENT_TAG": ""},
			spawn: 2, tags: []string{"a"}, origin: FromFile,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := ""
			if tt.yaml != "" {
				path = filepath.Join(t.TempDir(), "switchyard.yaml")
				if err := os.WriteFile(path, []byte(tt.yaml), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			settings := New(func() string { return path }, func(name string) (string, bool) {
				value, ok := tt.env[name]
				return value, ok
			})
			cmd := &cli.Command{
				Name: "agent", SliceFlagSeparator: ListSeparator,
				Flags: []cli.Flag{
					&cli.IntFlag{Name: "spawn", Value: 1, Sources: settings.Value("agent.spawn")},
					&cli.StringSliceFlag{Name: "tag", Sources: settings.List("agent.tag")},
				},
				Action: func(context.Context, *cli.Command) error { return nil },
			}
			if err := cmd.Run(t.Context(), append([]string{"agent"}, tt.args...)); err != nil {
				t.Fatal(err)
			}
			if got := cmd.Int("spawn"); got != tt.spawn {
				t.Errorf("spawn %d, want %d", got, tt.spawn)
			}
			if got := cmd.StringSlice("tag"); len(got)+len(tt.tags) > 0 && !reflect.DeepEqual(got, tt.tags) {
				t.Errorf("tags %q, want %q", got, tt.tags)
			}
			for _, flag := range []string{"spawn", "tag"} {
				if got := settings.Origin(cmd, flag, "agent."+flag); got != tt.origin {
					t.Errorf("origin of %s %v, want %v", flag, got, tt.origin)
				}
			}
			if err := settings.Err(); err != nil {
				t.Error(err)
			}
		})
	}
}
