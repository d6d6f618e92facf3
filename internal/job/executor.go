package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// FindExecutor returns the absolute path of an executor program, which it looks for in
// PATH if the name has no directory, or an error if the program cannot be run.
func FindExecutor(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err == nil || errors.Is(err, exec.ErrDot) {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return "", fmt.Errorf("must be a program that can be run: %w", lookError(err))
	}
	return path, nil
}

// lookError returns why a program was not found, without its name, which the caller has.
func lookError(err error) error {
	if known, ok := errors.AsType[*exec.Error](err); ok {
		err = known.Err
	}
	if known, ok := errors.AsType[*fs.PathError](err); ok {
		err = known.Err
	}
	return err
}

// ParseShell returns the program of a text and its arguments, which are separated by
// spaces, for Settings.Shell, or an error if the program cannot be run here. An empty text
// is the default.
func ParseShell(text string) ([]string, error) {
	argv := strings.Fields(text)
	if len(argv) == 0 {
		return nil, nil
	}
	if _, err := exec.LookPath(argv[0]); err != nil {
		return nil, fmt.Errorf("must be a program that can be run: %w", lookError(err))
	}
	return argv, nil
}

// writeExecutorFiles writes the job's variables for its executor into a new
// directory below parent, outside the working directory, which the executor may empty.
// It returns the directory, which the caller must remove unless it is empty, and the
// variables that name the files (wire-facts, section 5).
func writeExecutorFiles(parent string, env map[string]string) (string, map[string]string, error) {
	dir, err := os.MkdirTemp(parent, ".env-*")
	if err != nil {
		return "", nil, fmt.Errorf("creating a directory for the executor's files: %w", err)
	}
	own := maps.Clone(env)
	delete(own, wire.EnvAgentToken)
	envFile, jsonFile := filepath.Join(dir, "env"), filepath.Join(dir, "env.json")
	asJSON, err := json.Marshal(own)
	err = errors.Join(err, os.WriteFile(envFile, shellLines(own), 0o600), os.WriteFile(jsonFile, asJSON, 0o600))
	if err != nil {
		return dir, nil, fmt.Errorf("writing the job's variables for the executor: %w", err)
	}
	return dir, map[string]string{wire.EnvEnvFile: envFile, wire.EnvEnvJSONFile: jsonFile}, nil
}

// shellLines returns a line NAME="value" for each variable, sorted by name, with
// escapes as in Go, which is the format of existing agents.
func shellLines(env map[string]string) []byte {
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(env)) {
		lines.WriteString(name + "=" + strconv.Quote(env[name]) + "\n")
	}
	return []byte(lines.String())
}
