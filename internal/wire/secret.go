package wire

import (
	"path"
	"slices"
	"strings"
	"unicode/utf8"
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
		if endsOtherwise(glob, name) {
			return false
		}
		glob = strings.ToUpper(glob)
		matched, err := path.Match(glob, name)
		return matched && err == nil && (glob == name || !slices.Contains(notSecret, name))
	})
}

// endsOtherwise reports whether a name in capitals cannot match a glob pattern, because their
// last bytes differ. That is so for most patterns and variables of each job.
func endsOtherwise(glob, name string) bool {
	if glob == "" || name == "" {
		return false
	}
	last := glob[len(glob)-1]
	switch {
	case last >= utf8.RuneSelf, strings.IndexByte(`*?]\`, last) >= 0: // not a byte of the name, or not as it is
		return false
	case 'a' <= last && last <= 'z':
		last -= 'a' - 'A'
	}
	return last != name[len(name)-1]
}
