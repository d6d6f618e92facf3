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
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/internal/wire/tracecontext"
)

// inherited are the variables of the agent's environment that jobs get: what
// programs need on this machine, and nothing that can hold a secret. The agent's
// settings and tokens are not among them.
//
//nolint:gochecknoglobals // a table, never written
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TZ", "TMPDIR",
	"LANG", "LANGUAGE", "LC_ALL", "LC_COLLATE", "LC_CTYPE", "LC_MESSAGES", "LC_MONETARY", "LC_NUMERIC", "LC_TIME",
	// Windows programs do not start without these.
	"SystemRoot", "SystemDrive", "windir", "ComSpec", "PATHEXT", "TEMP", "TMP", "USERNAME", "USERPROFILE",
	"HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "ProgramFiles", "ProgramFiles(x86)",
	"NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE", "OS",
}

// terminalType is the TERM of a job with a terminal.
const terminalType = "xterm-256color"

// environment returns the environment of the job's command, sorted: the inherited
// variables of the agent, those of the job, those of settingsVariables, and those of
// jobVariables, of which later ones replace earlier ones of the same name. The command runs in
// dir. It finds the agent at socket, if it is not empty.
func environment(spec Spec, opts Options, dir, socket string) ([]string, error) {
	if strings.TrimSpace(spec.Env[wire.EnvCommand]) == "" && opts.Executor == "" {
		return nil, errors.New("the job has no command: " + wire.EnvCommand + " is empty")
	}
	env := maps.Clone(opts.Inherited.variables)
	env["CI"] = "true" // many tools read it
	if opts.PTY {
		env["TERM"] = terminalType
	}
	for name, value := range spec.Env {
		if name == "" || strings.ContainsAny(name, "=\x00") || strings.Contains(value, "\x00") {
			return nil, fmt.Errorf("invalid name or value of the job's environment variable %q", name)
		}
		env[name] = value
	}
	delete(env, wire.EnvAgentToken) // of existing agents; jobs never get it (wire-facts, section 5)
	maps.Copy(env, opts.Inherited.settings)
	maps.Copy(env, jobVariables(spec))
	env["PWD"], env[wire.EnvCheckoutPath] = dir, dir
	if socket != "" {
		env[joblink.Variable] = socket
	}
	pairs := make([]string, 0, len(env))
	for _, name := range slices.Sorted(maps.Keys(env)) {
		pairs = append(pairs, name+"="+env[name])
	}
	return pairs, nil
}

// Inherited is what the environments of all jobs of an agent have in common. It never changes,
// and may be used concurrently.
type Inherited struct {
	variables map[string]string // of the agent's environment
	settings  map[string]string // see settingsVariables
	// The secrets among all of them, and the names of variables that should be hidden and are
	// too short for it.
	secrets, tooShort []string
}

// NewInherited returns what jobs with these settings have in common, or the error of
// Settings.WithDefaults.
func NewInherited(s Settings) (*Inherited, error) {
	s, err := s.WithDefaults()
	if err != nil {
		return nil, err
	}
	return newInherited(s), nil
}

// newInherited returns what jobs with these settings, which have no zero left, have in common.
func newInherited(s Settings) *Inherited {
	i := &Inherited{variables: map[string]string{}, settings: settingsVariables(s)}
	for _, pair := range s.Environ {
		if name, value, ok := strings.Cut(pair, "="); ok && isInherited(name) {
			i.variables[name] = value
		}
	}
	for _, env := range []map[string]string{i.variables, i.settings} {
		secrets, tooShort := secretsAmong(env, s.RedactedVars)
		i.secrets, i.tooShort = append(i.secrets, secrets...), append(i.tooShort, tooShort...)
	}
	return i
}

func isInherited(name string) bool {
	return slices.ContainsFunc(inherited, func(one string) bool {
		return one == name || runtime.GOOS == "windows" && strings.EqualFold(one, name)
	})
}

// settingsVariables returns the variables that the agent sets for all jobs alike. Of those that
// wire-facts, section 5, lists, these and those of jobVariables are true for this agent; the
// others name files and features that it does not have.
func settingsVariables(s Settings) map[string]string {
	return map[string]string{
		wire.EnvAgentPID:          strconv.Itoa(os.Getpid()),
		wire.EnvBuildPath:         s.BuildPath,
		wire.EnvShell:             strings.Join(s.Shell, " "),
		wire.EnvCancelSignal:      process.SignalName(s.CancelSignal),
		wire.EnvPTY:               strconv.FormatBool(s.PTY),
		wire.EnvCommandEval:       "true",
		wire.EnvPluginsEnabled:    "false",
		wire.EnvLocalHooksEnabled: "false",
		wire.EnvRedactedVars:      strings.Join(s.RedactedVars, ","),
	}
}

// jobVariables returns the variables that the agent sets for one job, but for those that name
// the working directory and the socket.
func jobVariables(spec Spec) map[string]string {
	env := map[string]string{wire.EnvJobID: spec.ID}
	if spec.Endpoint != "" {
		env[wire.EnvAgentEndpoint] = spec.Endpoint
	}
	// Never the session token: with it a job could act as its worker.
	if spec.Token != "" {
		env[wire.EnvAgentAccessToken] = spec.Token
	}
	if spec.TraceParent != "" {
		env[wire.EnvTraceParent] = spec.TraceParent
		env[wire.EnvTraceState] = spec.TraceState
		env[tracecontext.EnvParent], env[tracecontext.EnvState] = spec.TraceParent, spec.TraceState
	}
	for name, values := range spec.Headers {
		if rest, ok := strings.CutPrefix(name, wire.RequestHeaderPrefix); ok && rest != "" && len(values) > 0 {
			// As existing agents do: the complete header name, in capitals, with underscores.
			env[wire.EnvRequestHeaderPrefix+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = values[0]
		}
	}
	return env
}
