package job

import (
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/job/redact"
)

const redactedVarsName = "BUILDKITE_REDACTED_VARS"

// DefaultRedactedVars are globs for the names of variables whose values are
// secrets: those of other agents of the field, and more.
func DefaultRedactedVars() []string {
	return []string{
		"*_PASSWORD", "*_PASSWD", "*_PASSPHRASE", "*_SECRET", "*_TOKEN", "*_KEY", "*_PRIVATE_KEY", "*_ACCESS_KEY",
		"*_CREDENTIALS", "*_CONNECTION_STRING", "PASSWORD", "SECRET", "TOKEN",
	}
}

// notSecret are variables of the field that a glob matches by accident: they
// hold names that people gave to steps. A glob that is such a name, and no
// pattern, makes it a secret all the same.
//
//nolint:gochecknoglobals // a table, never written
var notSecret = []string{"BUILDKITE_STEP_KEY", "BUILDKITE_GROUP_KEY"}

// CheckRedactedVars refuses what is no glob.
func CheckRedactedVars(globs []string) error {
	for _, glob := range globs {
		if _, err := path.Match(glob, ""); err != nil || glob == "" {
			return fmt.Errorf("%q is no glob for the name of a variable", glob)
		}
	}
	return nil
}

// namesSecret tells whether a variable of this name holds a secret. Capitals or
// not is all the same.
func namesSecret(globs []string, name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc(globs, func(glob string) bool {
		glob = strings.ToUpper(glob)
		matched, _ := path.Match(glob, name) // checked by CheckRedactedVars
		return matched && (glob == name || !slices.Contains(notSecret, name))
	})
}

// secretsOf gives the secrets of a job that are known before it runs, and the
// names of the variables that are meant to be secret and are too short to be.
func secretsOf(spec Spec, opts Options) (secrets, tooShort []string) {
	secrets = append(slices.Clone(opts.Secrets), spec.Token)
	env := map[string]string{}
	for _, pair := range opts.Environ {
		if name, value, ok := strings.Cut(pair, "="); ok && isPassed(name) {
			env[name] = value
		}
	}

	// What stands under a name here need not be what the job gets under it; all
	// of it is hidden.
	for _, more := range []map[string]string{env, spec.Env, ownVariables(spec, opts, "")} {
		for _, name := range slices.Sorted(maps.Keys(more)) {
			switch value := more[name]; {
			case value == "" || !namesSecret(opts.RedactedVars, name):
			case redact.TooShort(value):
				tooShort = append(tooShort, name)
			default:
				secrets = append(secrets, value)
			}
		}
	}
	return secrets, tooShort
}
