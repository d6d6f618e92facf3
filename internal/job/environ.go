package job

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
)

// passed are the variables of the agent's own environment that a job gets: what
// programs need to find their way on this machine, and nothing that could hold
// a secret. The agent's settings and tokens are not among them.
//
//nolint:gochecknoglobals // a table, never written
var passed = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR",
	"LANG", "LANGUAGE", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME",
	// Windows programs do not start without these.
	"SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERNAME", "USERPROFILE",
	"HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "ProgramFiles", "ProgramFiles(x86)",
	"NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "OS",
}

const (
	commandName = "BUILDKITE_COMMAND"
	// agentTokenName holds the registration token in agents of the field; a job
	// never gets it (wire-facts, section 5).
	agentTokenName = "BUILDKITE_AGENT_TOKEN"
	headerPrefix   = "Buildkite-"
	headerEnv      = "BUILDKITE_REQUEST_HEADER_"
	no             = "false"
)

// environment gives the script and the environment of the job's command: a few
// variables of the agent's, the job's own over them, and over both what the
// agent knows better.
//
// Of the variables that wire-facts, section 5, lists, these are set, as each is
// true of this agent: the job's id and token, endpoint and request headers for
// commands that call the control plane; the build path, and the working
// directory as the checkout path; the files for an executor, if there is one;
// the agent's process id, shell, cancel signal and globs of secret variables;
// whether there is a pty; trace context; and that commands are run, and that
// there are no plugins and no hooks. The others name files and features that
// this agent does not have.
func environment(spec Spec, opts Options, dir string) (string, []string, error) {
	script := spec.Env[commandName]
	if strings.TrimSpace(script) == "" && opts.Executor == "" {
		return "", nil, errors.New("the job has no command: " + commandName + " is empty")
	}
	env := make(map[string]string, len(passed)+len(spec.Env))
	for _, pair := range opts.Environ {
		if name, value, ok := strings.Cut(pair, "="); ok && isPassed(name) {
			env[name] = value
		}
	}
	if opts.Pty {
		env["TERM"] = terminalName
	}
	for name, value := range spec.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return "", nil, fmt.Errorf("the job's environment variable %q has a name or value that no process can have", name)
		}
		env[name] = value
	}
	delete(env, agentTokenName)
	maps.Copy(env, ownVariables(spec, opts, dir))
	pairs := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		pairs = append(pairs, name+"="+env[name])
	}
	return script, pairs, nil
}

func ownVariables(spec Spec, opts Options, dir string) map[string]string {
	env := map[string]string{
		"PWD":                           dir,
		"BUILDKITE_JOB_ID":              spec.ID,
		"BUILDKITE_AGENT_PID":           strconv.Itoa(os.Getpid()),
		"BUILDKITE_BUILD_PATH":          opts.BuildPath,
		"BUILDKITE_BUILD_CHECKOUT_PATH": dir,
		"BUILDKITE_SHELL":               strings.Join(opts.Shell, " "),
		"BUILDKITE_CANCEL_SIGNAL":       signalName(opts.CancelSignal),
		"BUILDKITE_PTY":                 strconv.FormatBool(opts.Pty),
		"BUILDKITE_COMMAND_EVAL":        "true",
		"BUILDKITE_PLUGINS_ENABLED":     no,
		"BUILDKITE_LOCAL_HOOKS_ENABLED": no,
		redactedVarsName:                strings.Join(opts.RedactedVars, ","),
	}
	if opts.socket != "" {
		env[joblink.Variable] = opts.socket
	}
	if opts.Endpoint != "" {
		env["BUILDKITE_AGENT_ENDPOINT"] = opts.Endpoint
	}

	// The job's own token or none: the agent's would let a job speak as its
	// agent.
	if spec.Token != "" {
		env["BUILDKITE_AGENT_ACCESS_TOKEN"] = spec.Token
	}
	if spec.TraceParent != "" {
		env["BUILDKITE_TRACING_TRACEPARENT"] = spec.TraceParent
		env["BUILDKITE_TRACING_TRACESTATE"] = spec.TraceState
	}
	for name, values := range opts.Headers {
		if rest, ok := strings.CutPrefix(name, headerPrefix); ok && rest != "" && len(values) > 0 {
			// As the field spells it: the whole header name, in capitals, with
			// underscores.
			env[headerEnv+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = values[0]
		}
	}
	return env
}

func isPassed(name string) bool {
	return slices.ContainsFunc(passed, func(one string) bool {
		return one == name || runtime.GOOS == "windows" && strings.EqualFold(one, name)
	})
}
