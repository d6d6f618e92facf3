package wire

import (
	"path"
	"slices"
	"strings"
)

// Redacted stands in place of a secret, in logs and in responses.
const Redacted = "[REDACTED]"

// DefaultRedactedVars returns the glob patterns of the names of variables whose
// values are secrets: those of existing agents, and more.
func DefaultRedactedVars() []string {
	return []string{
		"*PASSWORD", "*PASSWD", "*PASSPHRASE", "*_PASS", "*_PWD", "*SECRET", "*_SECRETS", "SECRET_*", "*TOKEN", "*_PAT", "*_JWT",
		"*_KEY", "*APIKEY", "*_CREDENTIALS", "*_CREDS", "*_CONNECTION_STRING", "PASS", "PAT", "JWT",
	}
}

// notSecret are variables of the protocol that a pattern matches by accident: names
// of steps. They are hidden only if a pattern is exactly their name.
//
//nolint:gochecknoglobals // a table, never written
var notSecret = []string{EnvStepKey, EnvGroupKey}

// NamesSecret reports whether a variable of this name holds a secret: whether it
// matches one of the patterns, which are valid. It ignores case.
func NamesSecret(globs []string, name string) bool {
	name = strings.ToUpper(name)
	return slices.ContainsFunc(globs, func(glob string) bool {
		glob = strings.ToUpper(glob)
		return matches(glob, name) && (glob == name || !slices.Contains(notSecret, name))
	})
}

// matches reports whether a glob pattern matches a name. An invalid one matches nothing.
func matches(glob, name string) bool {
	// Most patterns and names, for each variable of each job: another last byte.
	if n, g := len(name)-1, len(glob)-1; n >= 0 && g >= 0 && glob[g] != name[n] && !strings.Contains(`*?]\`, glob[g:]) {
		return false
	}
	matched, err := path.Match(glob, name)
	return matched && err == nil
}
