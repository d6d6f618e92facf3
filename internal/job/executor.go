package job

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	// What an executor is given besides its environment: files with the job's
	// own variables, and no others (wire-facts, section 5).
	envFileName     = "BUILDKITE_ENV_FILE"
	envJSONFileName = "BUILDKITE_ENV_JSON_FILE"

	filesPrefix = ".env-"
	ownerReads  = 0o600
)

// FindExecutor gives the absolute path of an executor program, or says why it
// cannot be run. A bare name is looked for in PATH, as a shell does.
func FindExecutor(program string) (string, error) {
	path, err := exec.LookPath(program)
	if err != nil && !errors.Is(err, exec.ErrDot) {
		return "", fmt.Errorf("the executor %s cannot be run: %w", program, err)
	}
	path, err = filepath.Abs(path)
	if err != nil {
		return "", fmt.Errorf("the executor %s: %w", program, err)
	}
	return path, nil
}

// executorFiles writes a job's variables for its executor into a new folder
// under the build path, outside the working directory, which the executor may
// empty. The folder is the caller's to remove.
func executorFiles(buildPath string, env map[string]string) (string, map[string]string, error) {
	dir, err := os.MkdirTemp(buildPath, filesPrefix+"*")
	if err != nil {
		return "", nil, fmt.Errorf("making a folder for the executor's files: %w", err)
	}
	own := maps.Clone(env)
	delete(own, agentTokenName)
	asJSON, err := json.Marshal(own)
	if err != nil {
		return dir, nil, fmt.Errorf("writing the job's variables: %w", err)
	}
	variables := map[string]string{
		envFileName:     filepath.Join(dir, "env"),
		envJSONFileName: filepath.Join(dir, "env.json"),
	}
	for path, content := range map[string][]byte{
		variables[envFileName]:     shellLines(own),
		variables[envJSONFileName]: asJSON,
	} {
		if err := os.WriteFile(path, content, ownerReads); err != nil {
			return dir, nil, fmt.Errorf("writing the job's variables for the executor: %w", err)
		}
	}
	return dir, variables, nil
}

// shellLines gives a line NAME="value" for each variable, in order of their
// names, with escapes as in Go, which is the field's form.
func shellLines(env map[string]string) []byte {
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(env)) {
		lines.WriteString(name + "=" + strconv.Quote(env[name]) + "\n")
	}
	return []byte(lines.String())
}
