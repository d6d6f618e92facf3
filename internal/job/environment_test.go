//go:build unix

package job

import (
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestEnvironment runs a command that prints its environment.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	agent := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=/home/agent", "LANG=C.UTF-8", "TZ=Asia/Tokyo", "TMPDIR=/tmp", "USER=agent",
		"SWITCHYARD_AGENT_TOKEN=secret-1", "BUILDKITE_AGENT_TOKEN=secret-2", "AWS_SECRET_ACCESS_KEY=secret-3",
		"SSH_AUTH_SOCK=/tmp/agent.sock", "PATHOLOGICAL=secret-4", "=odd", "odd",
	}
	tests := []struct {
		name  string
		env   map[string]string
		setup func(*Spec, *Options)
		want  map[string]string
		none  []string
	}{
		{
			name: "some variables of the agent, and no secrets",
			want: map[string]string{"HOME": "/home/agent", "LANG": "C.UTF-8", "TZ": "Asia/Tokyo", "TMPDIR": "/tmp", "USER": "agent", "CI": "true"},
			none: []string{"SWITCHYARD_AGENT_TOKEN", "BUILDKITE_AGENT_TOKEN", "AWS_SECRET_ACCESS_KEY", "SSH_AUTH_SOCK", "PATHOLOGICAL"},
		},
		{
			name: "variables of the job replace those of the agent",
			env:  map[string]string{"HOME": "/nowhere", "CI": "no", "COLOR": "a=b \" ' $x", "EMPTY": ""},
			want: map[string]string{"HOME": "/nowhere", "CI": "no", "COLOR": "a=b \" ' $x", "EMPTY": "", "USER": "agent"},
		},
		{
			name: "variables that the agent sets replace those of the job",
			env: map[string]string{
				"BUILDKITE_JOB_ID": "other", "BUILDKITE_AGENT_ENDPOINT": "http://elsewhere", "BUILDKITE_AGENT_TOKEN": "secret-5",
				"BUILDKITE_PTY": "true",
			},
			setup: func(s *Spec, o *Options) { s.Token, s.Endpoint = "job-token", "http://127.0.0.1:7420/v3" },
			want: map[string]string{
				"BUILDKITE_JOB_ID": "0190-test", "BUILDKITE_AGENT_ENDPOINT": "http://127.0.0.1:7420/v3",
				"BUILDKITE_AGENT_ACCESS_TOKEN": "[REDACTED]", "BUILDKITE_AGENT_PID": strconv.Itoa(os.Getpid()),
				"BUILDKITE_SHELL": "/bin/sh -e -c", "BUILDKITE_CANCEL_SIGNAL": "SIGTERM", "BUILDKITE_PTY": "false",
				"BUILDKITE_COMMAND_EVAL": "true", "BUILDKITE_PLUGINS_ENABLED": "false", "BUILDKITE_LOCAL_HOOKS_ENABLED": "false",
			},
			none: []string{"BUILDKITE_AGENT_TOKEN"},
		},
		{
			name: "trace context and request headers",
			setup: func(s *Spec, o *Options) {
				s.TraceParent, s.TraceState = "00-aa-bb-01", "k=v"
				s.Headers = http.Header{"Buildkite-Foo-Bar": {"1"}, "Authorization": {"Token secret-6"}, "Buildkite-": {"2"}}
			},
			want: map[string]string{
				"BUILDKITE_TRACING_TRACEPARENT": "00-aa-bb-01", "BUILDKITE_TRACING_TRACESTATE": "k=v",
				"BUILDKITE_REQUEST_HEADER_BUILDKITE_FOO_BAR": "1",
			},
		},
		{
			name: "no token, no endpoint, no trace",
			none: []string{"BUILDKITE_AGENT_ACCESS_TOKEN", "BUILDKITE_AGENT_ENDPOINT", "BUILDKITE_TRACING_TRACEPARENT"},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, `pwd; env -0`)
			maps.Copy(spec.Env, tt.env)
			opts.Environ = agent
			opts.RedactedVars = []string{} // print their values
			if tt.setup != nil {
				tt.setup(&spec, &opts)
			}
			if _, err := Run(t.Context(), spec, cp, opts); err != nil {
				t.Fatal(err)
			}
			log, err := cp.log()
			if err != nil {
				t.Fatal(err)
			}
			dir, variables, _ := strings.Cut(string(log), "\n")
			if !strings.HasPrefix(dir, opts.BuildPath) {
				t.Errorf("run in %q, not under %q", dir, opts.BuildPath)
			}
			want := maps.Clone(tt.want)
			if want == nil {
				want = map[string]string{}
			}
			want["PWD"], want["BUILDKITE_BUILD_CHECKOUT_PATH"], want["BUILDKITE_BUILD_PATH"] = dir, dir, opts.BuildPath
			checkVariables(t, variables, want, tt.none)
		})
	}
}

// checkVariables checks the variables as "env -0" prints them.
func checkVariables(t *testing.T, variables string, want map[string]string, none []string) {
	t.Helper()
	got := map[string]string{}
	for pair := range strings.SplitSeq(variables, "\x00") {
		name, value, _ := strings.Cut(pair, "=")
		got[name] = value
	}
	for name, value := range want {
		if is, ok := got[name]; !ok || is != value {
			t.Errorf("%s=%q, want %q", name, is, value)
		}
	}
	for _, name := range none {
		if is, ok := got[name]; ok {
			t.Errorf("%s=%q, want none", name, is)
		}
	}
	if strings.Contains(variables, "secret-") {
		t.Errorf("a secret of the agent is in the job's environment: %q", slices.Sorted(maps.Keys(got)))
	}
}
