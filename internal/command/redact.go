package command

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/job/joblink"
	"github.com/switchyard-ci/switchyard/internal/job/redact"
)

const (
	formatPlain = "plain"

	// maxSecretFile is the most, in bytes, that is read of a file or of standard
	// input.
	maxSecretFile = 1 << 20
)

const redactAddDescription = `For use inside a job. Reads a secret from FILE, or from standard input, and makes
the agent hide it in this job's log: in everything that the job writes after this
command has returned, also in base64 and URL-encoded. White space around the secret
is removed. Of a secret with several lines, each line is hidden. Secrets of fewer
than 6 bytes cannot be hidden; each is named in a warning.

  fetch-token | tee token | switchyard redact add

With --format json the input is one object whose values are all secrets:

  {"user": "someone", "password": "correct horse"}

Not supported on Windows.`

// RedactAdd returns `switchyard redact add`.
func (a *App) RedactAdd() *cobra.Command {
	cmd := cli.Command("add [FILE]", "hide a secret in the log of the job that runs this command", optionalFile)
	cmd.Long = redactAddDescription
	format := formatPlain
	cli.PerCall(cmd).Choice(&format, "format", "FORMAT",
		"format of the input: plain, the secret itself, or json, an object of strings", formatPlain, FormatJSON)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		input, err := readSecretFile(args)
		if err != nil {
			return err
		}
		secrets := map[string]string{"the secret": string(input)}
		if format == FormatJSON {
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
				a.Notef("warning: %s is not hidden: it has fewer than %d bytes", what, redact.Minimum)
				continue
			}
			long = append(long, secret)
		}
		if len(long) == 0 {
			return errors.New("there is no secret that can be hidden")
		}
		return joblink.Redact(cmd.Context(), path, long)
	}
	return cmd
}

func optionalFile(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return cli.Usagef(cmd, "unexpected argument %q: the command takes one file", args[1])
	}
	return nil
}

// readSecretFile reads the file that the command line names, or standard input.
func readSecretFile(args []string) ([]byte, error) {
	from, what := os.Stdin, "standard input"
	if len(args) > 0 && args[0] != "" && args[0] != standardInput {
		file, err := os.Open(args[0])
		if err != nil {
			return nil, fmt.Errorf("reading the secret: %w", err)
		}
		defer func() { _ = file.Close() }()
		from, what = file, args[0]
	}
	input, err := io.ReadAll(io.LimitReader(from, maxSecretFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading the secret from %s: %w", what, err)
	}
	if len(input) > maxSecretFile {
		return nil, fmt.Errorf("%s has more than %d bytes, which is too much for a secret", what, maxSecretFile)
	}
	return input, nil
}

// parseSecrets parses an object of strings. Its errors show no value.
func parseSecrets(input []byte) (map[string]string, error) {
	var values map[string]json.RawMessage
	if err := json.Unmarshal(input, &values); err != nil {
		return nil, errors.New("the input is not a JSON object; --format plain takes it as it is")
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
