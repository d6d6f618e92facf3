package wire

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

var (
	// urlStart matches the scheme of a URL.
	urlStart = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]*://`)
	// userInfo matches the user and the password behind the scheme. Git takes the last
	// "@" in front of the path for their end.
	userInfo = regexp.MustCompile(`^([^/?#\s]*)@`)
	// looseUserInfo matches them where the password has a character that ends the host:
	// git reads it as something else, and prints it. withPort matches a host with a port,
	// which is not a user.
	looseUserInfo = regexp.MustCompile(`^([^/?#@:\s]*:[^@\s]*)@`)
	withPort      = regexp.MustCompile(`^[^:\s]*:\d{0,5}(?:[/?#\s]|$)`)
	// secretParameter matches a parameter of a URL whose name is that of a secret.
	secretParameter = regexp.MustCompile(`(?i)[?&#](?:[a-z0-9_.-]*` +
		`(?:token|secret|password|passwd|signature|credential|api_?key|access_?key)|sig|pwd|pass|auth|jwt|key)=([^&#\s'"]+)`)
	// noScheme matches what has a user and a password in front of a host without a scheme:
	// user:password@host:path of ssh, and user:password@tcp(host) of database drivers.
	noScheme = regexp.MustCompile(`^\s*([^\s/@:]+:[^\s/@]+)@(?:[^\s/@:()]+:[^\s]|(?:tcp|unix)\()`)
	// listPassword and wordPassword match a password among settings NAME=VALUE, which
	// semicolons or spaces separate.
	listPassword = regexp.MustCompile(`(?i)(?:^|;)\s*` + passwordNames + `\s*=\s*([^;]+)`)
	wordPassword = regexp.MustCompile(`(?i)(?:^|\s)` + passwordNames + `\s*=\s*('[^']+'|"[^"]+"|[^\s'"]+)`)
)

const passwordNames = `(?:password|passwd|pwd|accountkey|sharedaccesskey|sharedaccesssignature)`

// span is a part of a text that is secret: of a user and a password all, of any other
// the value.
type span struct {
	from, to int
	user     bool // a user, alone or with a password
	isHTTP   bool // of a URL of HTTP, where a user without a password may be a token
}

// secretSpans returns the secret parts of a text, in order and without overlap.
func secretSpans(text string) (spans []span) {
	values := func(pattern *regexp.Regexp, user bool) {
		for _, match := range pattern.FindAllStringSubmatchIndex(text, -1) {
			spans = append(spans, span{from: match[2], to: match[3], user: user})
		}
	}
	if strings.Contains(text, "://") {
		for _, start := range urlStart.FindAllStringIndex(text, -1) {
			if length := userInfoLength(text[start[1]:]); length > 0 {
				isHTTP := strings.HasPrefix(strings.ToLower(text[start[0]:]), "http")
				spans = append(spans, span{from: start[1], to: start[1] + length, user: true, isHTTP: isHTTP})
			}
		}
		values(secretParameter, false)
	} else if strings.Contains(text, "@") {
		values(noScheme, true)
	}
	if lower := strings.ToLower(text); strings.Contains(text, "=") &&
		slices.ContainsFunc([]string{"passw", "pwd", "accountkey", "sharedaccess"}, func(s string) bool { return strings.Contains(lower, s) }) {
		pattern := wordPassword
		if strings.Contains(text, ";") {
			pattern = listPassword
		}
		values(pattern, false)
	}
	slices.SortFunc(spans, func(a, b span) int { return a.from - b.from })
	end := 0
	return slices.DeleteFunc(spans, func(s span) bool {
		overlaps := s.from < end
		end = max(end, s.to)
		return overlaps
	})
}

// userInfoLength returns the length of the user and the password behind the scheme of a
// URL; 0 if there are none.
func userInfoLength(text string) int {
	if match := userInfo.FindStringSubmatch(text); match != nil {
		return len(match[1])
	}
	if match := looseUserInfo.FindStringSubmatch(text); match != nil && !withPort.MatchString(text) {
		return len(match[1])
	}
	return 0
}

// HideURLSecrets returns a text without the users and passwords of the URLs in it, the
// values of their secret parameters, and the passwords of a connection string. A user
// without a password stays, unless it is one for HTTP, where it may be a token.
func HideURLSecrets(text string) string {
	var b strings.Builder
	end := 0
	for _, s := range secretSpans(text) {
		if s.user && !s.isHTTP && !strings.Contains(text[s.from:s.to], ":") {
			continue
		}
		b.WriteString(text[end:s.from] + Redacted)
		end = s.to
	}
	return b.String() + text[end:]
}

// URLSecrets returns the secrets in a text that HideURLSecrets would hide, as they are
// written and decoded: of a user with a password the password, and no user alone.
func URLSecrets(text string) []string { return urlSecrets(text, false) }

// RepositorySecrets is URLSecrets for the URL of a repository: there the user of a URL
// for HTTP without a password is a token.
func RepositorySecrets(repository string) []string { return urlSecrets(repository, true) }

func urlSecrets(text string, tokens bool) (secrets []string) {
	for _, s := range secretSpans(text) {
		secret := text[s.from:s.to]
		if user, password, ok := strings.Cut(secret, ":"); s.user {
			switch {
			case ok:
				secret = password
			case tokens && s.isHTTP:
				secret = user
			default:
				continue
			}
		} else if trimmed := strings.TrimSpace(secret); len(trimmed) > 1 && (trimmed[0] == '\'' || trimmed[0] == '"') {
			secret = strings.Trim(trimmed, trimmed[:1])
		}
		secrets = append(secrets, both(secret)...)
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

// HideAddresses returns the addresses of a NATS cluster, separated by commas, without
// the users, passwords and tokens in them, and without what follows the host.
func HideAddresses(addresses string) string {
	elements := strings.Split(addresses, ",")
	for i, element := range elements {
		elements[i] = hideAddress(strings.TrimSpace(element))
	}
	return strings.Join(elements, ",")
}

func hideAddress(address string) string {
	if !strings.Contains(address, "://") {
		address = "nats://" + address // as the client of NATS has it
	}
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return Redacted // it cannot be known what is a password in it
	case u.User == nil:
		return u.Scheme + "://" + u.Host
	}
	return u.Scheme + "://" + Redacted + "@" + u.Host
}
