package wire

import (
	"net/url"
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
		"*_PASSWORD", "*_PASSWD", "*_PASSPHRASE", "*_SECRET", "*_TOKEN", "*_KEY", "*_PRIVATE_KEY", "*_ACCESS_KEY",
		"*_CREDENTIALS", "*_CONNECTION_STRING", "PASSWORD", "SECRET", "TOKEN",
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
	// The usual pattern, such as *_TOKEN, for each variable of each job.
	if suffix, ok := strings.CutPrefix(glob, "*"); ok && !strings.ContainsAny(suffix, `*?[\`) && !strings.Contains(name, "/") {
		return strings.HasSuffix(name, suffix)
	}
	matched, err := path.Match(glob, name)
	return matched && err == nil
}

// HideUserInfo returns a URL without its user and password, if it has a password, or
// is one for HTTP, where the user may be a token. Any other text is returned as it
// is.
func HideUserInfo(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return text
	}
	authority, after, _ := strings.Cut(rest, "/")
	at := strings.LastIndexByte(authority, '@')
	isHTTP := strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https")
	if at < 0 || !isHTTP && !strings.Contains(authority[:at], ":") {
		return text
	}
	hidden := scheme + "://" + Redacted + authority[at:]
	if after != "" || strings.Contains(rest, "/") {
		hidden += "/" + after
	}
	if u, err := url.Parse(text); err == nil && u.User == nil {
		return text // the @ is in the query or the fragment
	}
	return hidden
}
