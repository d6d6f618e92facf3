package workspace

import (
	"net/url"
	"regexp"
	"strings"
)

// anyPassword matches the password in each URL of a text.
var anyPassword = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://[^\s/:@]*:([^\s/@]+)@`)

// URLSecrets returns the secrets in the URL of a repository, as they are written and
// decoded: the password, or, without one, the user of an http URL, which is a token
// then.
func URLSecrets(repository string) []string {
	_, match := userInfoOf(repository)
	if match == nil {
		return nil
	}
	user, password, hasPassword := strings.Cut(match[2], ":")
	switch {
	case hasPassword:
		return both(password)
	case strings.HasPrefix(match[1], "http"):
		return both(user)
	default:
		return nil
	}
}

// Passwords returns the passwords of all URLs in a text, as they are written and
// decoded.
func Passwords(text string) []string {
	matches := anyPassword.FindAllStringSubmatch(text, -1)
	secrets := make([]string, 0, len(matches))
	for _, match := range matches {
		secrets = append(secrets, both(match[1])...)
	}
	return secrets
}

// both returns a part of a URL as it is written and decoded, if the two differ.
func both(part string) []string {
	if part == "" {
		return nil
	}
	decoded, err := url.PathUnescape(part)
	if err != nil || decoded == part {
		return []string{part}
	}
	return []string{part, decoded}
}
