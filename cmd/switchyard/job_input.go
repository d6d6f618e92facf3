package main

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"strings"
	"unicode/utf8"

	"github.com/switchyard-ci/switchyard/internal/config"
)

const (
	// maxScript bounds a script on standard input, in bytes: what a process on Linux can
	// be given as one argument. The control plane is more exact.
	maxScript = 128 << 10
	// maxEnvFile bounds a file of variables, in bytes: what a job can have.
	maxEnvFile = 512 << 10
)

// environment returns the variables of --env-file and of --env, which replace them.
func (s *submission) environment() (map[string]string, error) {
	env := map[string]string{}
	if s.envFile != "" {
		file, err := os.Open(s.envFile)
		if err != nil {
			return nil, fmt.Errorf("reading --env-file: %w", err)
		}
		defer file.Close()
		if env, err = readEnv(file); err != nil {
			return nil, fmt.Errorf("--env-file %s: %w", s.envFile, err)
		}
	}
	pairs, err := parseEnv(s.env)
	maps.Copy(env, pairs)
	return env, err
}

// readEnv reads NAME=VALUE lines. Empty lines, and those that begin with #, are left out.
// A value is taken as it is, with its quotes. Its errors show no value.
func readEnv(r io.Reader) (map[string]string, error) {
	text, err := readAtMost(r, maxEnvFile)
	if err != nil {
		return nil, err
	}
	env := map[string]string{}
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if begin := strings.TrimSpace(line); begin == "" || begin[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok || strings.TrimSpace(name) != name || name == "" {
			return nil, fmt.Errorf("line %d must be NAME=VALUE", number)
		}
		env[name] = value
	}
	return env, nil
}

// readScript reads the script of a job.
func readScript(r io.Reader) (string, error) {
	script, err := readAtMost(r, maxScript)
	switch {
	case err != nil:
		return "", fmt.Errorf("reading the script from standard input: %w", err)
	case strings.TrimSpace(script) == "":
		return "", errors.New("the script on standard input is empty")
	}
	return script, nil
}

// readAtMost reads text in UTF-8 of at most that many bytes, without a byte order mark.
func readAtMost(r io.Reader, most int64) (string, error) {
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return "", err
	case int64(len(text)) > most:
		return "", fmt.Errorf("it has more than %d bytes", most)
	case !utf8.Valid(text):
		return "", errors.New("it is not UTF-8, and cannot be sent")
	}
	return strings.TrimPrefix(string(text), config.ByteOrderMark), nil
}

// parseEnv parses NAME=VALUE pairs; the last of several with one name counts. Its
// errors show no value, which may be a secret.
func parseEnv(pairs []string) (map[string]string, error) {
	env := make(map[string]string, len(pairs))
	for _, pair := range pairs {
		name, value, ok := strings.Cut(pair, "=")
		switch {
		case ok && name == "":
			return nil, errors.New(`--env has nothing before its "="; it must be NAME=VALUE`)
		case !ok || name == "":
			return nil, fmt.Errorf("--env %q must be NAME=VALUE", name)
		case !utf8.ValidString(name):
			return nil, fmt.Errorf("--env %q: the name is not UTF-8, and cannot be sent", name)
		case !utf8.ValidString(value):
			return nil, fmt.Errorf("--env %q: the value is not UTF-8, and cannot be sent", name)
		}
		env[name] = value
	}
	return env, nil
}
