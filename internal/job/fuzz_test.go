package job

import (
	"net/http"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// FuzzEnvironment builds environments from what a control plane may send. No
// variable comes twice, those of the agent replace those of the job, and the
// registration token is never among them.
func FuzzEnvironment(f *testing.F) {
	for _, seed := range [][4]string{
		{"true", "A", "1", "Buildkite-X"},
		{"true", "BUILDKITE_AGENT_TOKEN", "secret", "Buildkite-A-B"},
		{"true", "BUILDKITE_JOB_ID", "another", "Buildkite-"},
		{"true", "PWD", "/", "buildkite-x"},
		{"\x00", "A=B", "\x00", "X"},
		{" ", "", "", ""},
		{"echo \xff", "\xff", "\xfe\n", "Buildkite-\xff"},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3])
	}
	f.Fuzz(func(t *testing.T, script, name, value, header string) {
		spec := Spec{Job: wire.Job{ID: "j1", Env: map[string]string{wire.EnvCommand: script}}}
		spec.Env[name] = value
		spec.Headers = http.Header{header: {value}}
		opts := Options{Settings: Settings{BuildPath: "/builds", Environ: []string{"PATH=/bin", "SECRET=agent"}}}
		opts.Inherited = newInherited(opts.Settings)
		pairs, err := environment(spec, opts, "/builds/j1", "")
		if err != nil {
			if strings.ContainsAny(err.Error(), "\n\r\x00") {
				t.Errorf("error %q", err)
			}
			return
		}
		seen := map[string]string{}
		for _, pair := range pairs {
			key, is, ok := strings.Cut(pair, "=")
			if _, twice := seen[key]; !ok || key == "" || twice {
				t.Errorf("%q in %q", pair, pairs)
			}

			// Package transport checks the values of headers.
			if strings.Contains(pair, "\x00") && !strings.HasPrefix(key, wire.EnvRequestHeaderPrefix) {
				t.Errorf("%q in %q", pair, pairs)
			}
			seen[key] = is
		}
		if got := seen[wire.EnvCommand]; got != spec.Env[wire.EnvCommand] {
			t.Errorf("command %q, want %q", got, spec.Env[wire.EnvCommand])
		}
		if _, leaked := seen[wire.EnvAgentToken]; leaked || seen["BUILDKITE_JOB_ID"] != "j1" || seen["PWD"] != "/builds/j1" ||
			seen["SECRET"] == "agent" && name != "SECRET" {
			t.Errorf("%q", pairs)
		}
	})
}
