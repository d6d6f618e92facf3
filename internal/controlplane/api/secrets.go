package api

import "github.com/switchyard-ci/switchyard/internal/wire"

// hideSecrets returns variables with wire.Redacted in place of what is secret: the
// value of a variable whose name is that of a secret, and what is secret in a URL or a
// connection string.
func hideSecrets(env map[string]string) map[string]string {
	if len(env) == 0 {
		return env
	}
	patterns, shown := wire.DefaultRedactedVars(), make(map[string]string, len(env))
	for name, value := range env {
		switch {
		case value != "" && wire.NamesSecret(patterns, name):
			shown[name] = wire.Redacted
		default:
			shown[name] = wire.HideURLSecrets(value)
		}
	}
	return shown
}
