package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/redact"
)

const (
	formatPlain = "plain"

	// maxSecretFile is the most that is read of a file or of standard input.
	maxSecretFile = 1 << 20
)

const redactAddDescription = `For use inside a job. Reads a secret from FILE, or from standard input, and has the
agent hide it in this job's log: all that the job writes once this command has
returned is free of it, also in base64 and URL-encoded. Space around the secret
does not belong to it; of a secret with several lines each is hidden. Secrets of
fewer than 6 bytes cannot be hidden; each is named in a warning.

  fetch-token | tee token | switchyard redact add

With --format json the input is one object whose values are all secrets:

  {"user": "someone", "password": "correct horse"}

Not supported on Windows.`

// redactAdd is `switchyard redact add [FILE]`.
func (a *app) redactAdd() *cli.Command {
	return &cli.Command{
		Name:        "add",
		Usage:       "hide a secret in the log of the job that this runs in",
		ArgsUsage:   "[FILE]",
		Description: redactAddDescription,
		Flags: []cli.Flag{&cli.StringFlag{
			Name: flagFormat, Value: formatPlain, Usage: "read `FORMAT`: plain, the secret itself, or json, an object of strings",
			Validator: oneOf(formatPlain, formatJSON),
		}},
		Action: a.addRedaction,
	}
}

func (a *app) addRedaction(ctx context.Context, cmd *cli.Command) error {
	input, err := readSecretFile(cmd)
	if err != nil {
		return err
	}
	secrets := map[string]string{"the secret": string(input)}
	if cmd.String(flagFormat) == formatJSON {
		if secrets, err = parseSecrets(input); err != nil {
			return err
		}
	}
	path := os.Getenv(joblink.Variable)
	switch {
	case runtime.GOOS == "windows":
		return errors.New("adding secrets is not supported on Windows")
	case path == "":
		return fmt.Errorf("not inside a job of a Switchyard agent: $%s is not set", joblink.Variable)
	}
	long := make([]string, 0, len(secrets))
	for what, secret := range secrets {
		if redact.TooShort(secret) {
			a.notef("warning: %s is not hidden: it has fewer than %d bytes", what, redact.Minimum)
			continue
		}
		long = append(long, secret)
	}
	if len(long) == 0 {
		return errors.New("there is no secret that can be hidden")
	}
	return joblink.Redact(ctx, path, long)
}

// readSecretFile reads the file that the command line names, or standard input.
func readSecretFile(cmd *cli.Command) ([]byte, error) {
	if cmd.Args().Len() > 1 {
		return nil, usage(cmd, "it takes one file, so what is %q?", cmd.Args().Get(1))
	}
	from, what := os.Stdin, "standard input"
	if path := cmd.Args().First(); path != "" && path != "-" {
		file, err := os.Open(path) //nolint:gosec // the file that the user names
		if err != nil {
			return nil, fmt.Errorf("reading the secret: %w", err)
		}
		defer func() { _ = file.Close() }()
		from, what = file, path
	}
	input, err := io.ReadAll(io.LimitReader(from, maxSecretFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the secret from %s: %w", what, err)
	}
	if len(input) > maxSecretFile {
		return nil, fmt.Errorf("%s has more than %d bytes: too much for a secret", what, maxSecretFile)
	}
	return input, nil
}

// parseSecrets reads an object of strings. Its errors show no value.
func parseSecrets(input []byte) (map[string]string, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(input, &values); err != nil {
		return nil, errors.New("the input is not a JSON object; with --format plain it is taken as it is")
	}
	secrets := make(map[string]string, len(values))
	for key, value := range values {
		var secret *string
		if err := json.Unmarshal(value, &secret); err != nil || secret == nil {
			return nil, fmt.Errorf("the value of %q is not a string", key)
		}
		secrets[fmt.Sprintf("%q", key)] = *secret
	}
	return secrets, nil
}
