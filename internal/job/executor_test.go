//go:build unix

package job

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestExecutor runs a script as the executor, in place of the shell.
func TestExecutor(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script string
		env          map[string]string
		status       string
		reason       string
		log          []string
	}{
		{name: "without a command", script: "pwd; exit 3", status: "3", log: []string{"/job-0190-test-"}},
		{
			name: "the job in its environment", script: `echo "$BUILDKITE_COMMAND|$COLOR|$#|$BUILDKITE_JOB_ID"`,
			env:    map[string]string{"BUILDKITE_COMMAND": "make it", "COLOR": "red"},
			status: "0", log: []string{"make it|red|0|0190-test\n"},
		},
		{
			name: "the job in a file", script: `cat "$BUILDKITE_ENV_FILE"; ls -l "$BUILDKITE_ENV_FILE" "$BUILDKITE_ENV_JSON_FILE"`,
			env:    map[string]string{"B": "two\nlines \"quoted\" $x", "A": "1", "BUILDKITE_AGENT_TOKEN": "secret"},
			status: "0", log: []string{"A=\"1\"\nB=\"two\\nlines \\\"quoted\\\" $x\"\n-rw-------", "-rw-------"},
		},
		{
			name: "no checkout", script: `ls -A; echo "$BUILDKITE_REPO"`,
			env:    map[string]string{"BUILDKITE_REPO": "/no/such", "BUILDKITE_COMMIT": "HEAD"},
			status: "0", log: []string{"/no/such\n"},
		},
		{
			name: "empties the build path", script: `cd "$BUILDKITE_BUILD_PATH" && rm -rf ./* && cat "$BUILDKITE_ENV_JSON_FILE"`,
			env: map[string]string{"A": "1"}, status: "0", log: []string{`{"A":"1"}`},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, "")
			spec.Env = tt.env
			opts.Executor = executable(t, "#!/bin/sh\n"+tt.script+"\n")
			result, err := Run(t.Context(), spec, cp, opts)
			if err != nil || result.ExitStatus != tt.status || result.SignalReason != tt.reason {
				t.Errorf("%+v, %v", result, err)
			}
			checkLog(t, cp, "", tt.log)
			checkCalls(t, cp, result)
			checkEmpty(t, opts.BuildPath)
			if log, _ := cp.log(); strings.Contains(string(log), "secret") {
				t.Errorf("the executor got the agent's token:\n%s", log)
			}
		})
	}
}

func executable(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte(script), 0o700); err != nil { //nolint:gosec // a program
		t.Fatal(err)
	}
	return path
}

func TestExecutorMissing(t *testing.T) {
	t.Parallel()
	cp := &recorder{}
	spec, opts := jobFor(t, "true")
	opts.Executor = "/no/such/executor"
	result, err := Run(t.Context(), spec, cp, opts)
	if !errors.Is(err, PhaseProcess) || result.ExitStatus != wire.ExitStatusNeverRan || result.SignalReason != wire.ReasonProcessRunError {
		t.Errorf("%+v, %v", result, err)
	}
	checkLog(t, cp, "", []string{"switchyard: cannot run the job: starting the executor /no/such/executor", "no such file"})
	checkEmpty(t, opts.BuildPath)
}

func TestFindExecutor(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	program := executable(t, "#!/bin/sh\n")
	for _, tt := range []struct {
		program string
		ok      bool
	}{{program, true}, {"sh", true}, {file, false}, {"/no/such", false}, {"no-such-program-here", false}, {"", false}, {t.TempDir(), false}} {
		path, err := FindExecutor(tt.program)
		if (err == nil) != tt.ok || tt.ok && !filepath.IsAbs(path) {
			t.Errorf("%q: %q, %v", tt.program, path, err)
		}
	}
}

func TestParseShell(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text string
		want []string
		ok   bool
	}{{"sh -e  -c", []string{"sh", "-e", "-c"}, true}, {" ", nil, true}, {"/no/such -c", nil, false}, {"no-such-program-here", nil, false}} {
		if got, err := ParseShell(tt.text); (err == nil) != tt.ok || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, %v", tt.text, got, err)
		}
	}
}

// TestShellLines checks that both files have the same variables.
func TestShellLines(t *testing.T) {
	t.Parallel()
	dir, variables, err := writeExecutorFiles(t.TempDir(), map[string]string{"A": "é\x01\xff", "B": ""})
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(variables[wire.EnvEnvFile]) != dir || filepath.Dir(variables[wire.EnvEnvJSONFile]) != dir {
		t.Errorf("%v, not in %s", variables, dir)
	}
	lines, err := os.ReadFile(variables[wire.EnvEnvFile])
	if err != nil || string(lines) != "A=\"é\\x01\\xff\"\nB=\"\"\n" {
		t.Errorf("%q, %v", lines, err)
	}
	var object map[string]string
	content, err := os.ReadFile(variables[wire.EnvEnvJSONFile])
	if err = errors.Join(err, json.Unmarshal(content, &object)); err != nil || len(object) != 2 {
		t.Errorf("%q, %v", content, err)
	}
}
