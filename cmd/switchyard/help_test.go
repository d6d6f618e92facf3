package main

import (
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/config"
)

// perCall are the flags that belong to one call, and so have neither a variable
// nor a key: in a file they would be meant for every call.
var perCall = []string{
	"help", "version", "config",
	"idempotency-key", "state", "agent", "limit", "follow", "offset", "reason", "force", "format", "guards", "effects", "self-loops", "highlight",
	"jobs", "in-flight", "losses", "pauses", "rows", "scripts",
}

// TestEverySettingIsInHelp goes through every command: each flag either names
// its environment variable and its key in the file, or belongs to one call.
func TestEverySettingIsInHelp(t *testing.T) {
	t.Parallel()
	a := &app{stdout: io.Discard, stderr: io.Discard}
	root := a.root()
	a.settings = config.New(func() string { return "" }, os.LookupEnv)
	a.build(root)
	keys := a.settings.Keys()
	if len(keys) < 30 {
		t.Fatalf("only %d settings: %q", len(keys), keys)
	}
	err := root.Walk(func(cmd *cli.Command) error {
		if cmd.Description == "" && cmd.Usage == "" {
			t.Errorf("%s has no help", cmd.FullName())
		}
		for _, flag := range cmd.Flags {
			name := flag.Names()[0]
			doc, ok := flag.(cli.DocGenerationFlag)
			if !ok || doc.GetUsage() == "" {
				t.Errorf("%s --%s has no help", cmd.FullName(), name)
				continue
			}
			if len(doc.GetEnvVars()) == 0 || name == flagConfig {
				// --queue of a list and --mode of what is verified are filters; elsewhere they are settings.
				filter := name == flagQueue && cmd.Name == "list" || name == flagMode && cmd.Name == "verify"
				if !filter && !slices.Contains(perCall, name) {
					t.Errorf("%s --%s is no setting, and not among those of one call", cmd.FullName(), name)
				}
				continue
			}
			i := slices.IndexFunc(keys, func(key string) bool { return config.EnvName(key) == doc.GetEnvVars()[0] })
			if i < 0 {
				t.Errorf("%s --%s: %s is the variable of no key", cmd.FullName(), name, doc.GetEnvVars()[0])
				continue
			}
			for _, want := range []string{"[$" + config.EnvName(keys[i]) + "]", "[" + keys[i] + "]"} {
				if !strings.Contains(flag.String(), want) {
					t.Errorf("help of %s --%s does not have %s: %s", cmd.FullName(), name, want, flag.String())
				}
			}
			if key := keys[i]; key != name && !strings.HasSuffix(key, "."+name) {
				t.Errorf("%s --%s has the key %s", cmd.FullName(), name, key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
