package redact

import (
	"encoding/base64"
	"strings"
)

// maxSegment is the longest string that is searched for as one, in bytes. A
// longer secret is split, and each segment is a secret of its own, so that
// little is held back.
const maxSegment = 16 << 10

// TooShort reports whether a secret is too short to be hidden.
func TooShort(secret string) bool { return len(strings.TrimSpace(secret)) < Minimum }

// forms returns the strings to find so that the secret is hidden, or nothing if
// the secret is too short. Some may be repeated.
func forms(secret string) []string {
	var all []string
	for _, part := range parts(secret) {
		all = append(all, part)
		if !isPlain(part) {
			all = append(all, quotedForms(part)...)
			all = append(all, urlForms(part)...)
		}
		all = append(all, base64Forms(part, base64.RawStdEncoding)...)
		all = append(all, base64Forms(part, base64.RawURLEncoding)...)
		if bare := stripped(part); len(bare) >= Minimum {
			all = append(all, bare) // text is also searched without its control sequences
		}
	}
	return all
}

// parts returns the secret and each of its lines, without the space around them,
// split where they are long.
func parts(secret string) []string {
	secret = strings.TrimSpace(secret)
	lines := []string{secret}
	if strings.ContainsAny(secret, "\r\n") {
		lines = append(lines, strings.FieldsFunc(secret, func(r rune) bool { return r == '\r' || r == '\n' })...)
	}
	var all []string
	for _, line := range lines {
		if line = strings.TrimSpace(line); len(line) >= Minimum {
			all = append(all, segments(line)...)
		}
	}
	return all
}

// segments splits a secret that is too long. The last segment overlaps the
// previous one, so that all have the same length.
func segments(secret string) []string {
	var all []string
	for len(secret) > maxSegment {
		all = append(all, secret[:maxSegment])
		secret = secret[min(maxSegment, len(secret)-maxSegment):]
	}
	return append(all, secret)
}

// lowerDigits writes the two digits after each percent sign in lower case.
func lowerDigits(escaped string) string {
	const digits = 2
	b := []byte(escaped)
	for i := range b {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(escaped[i+1:i+1+digits]))
		}
	}
	return string(b)
}

// base64Forms returns the forms in base64, for 0, 1 and 2 bytes of other data
// before the secret in its group of three: the characters that depend on the
// secret alone; and, for data that ends with the secret, those up to its end,
// with and without padding.
func base64Forms(s string, encoding *base64.Encoding) []string {
	const group, bits, char = 3, 8, 6
	var all []string
	for before := range group {
		text := encoding.EncodeToString(append(make([]byte, before, before+len(s)), s...))
		from, to := (before*bits+char-1)/char, (before+len(s))*bits/char
		padding := strings.Repeat("=", (group-(before+len(s))%group)%group)
		all = append(all, text[from:to], text[from:], text[from:]+padding)
		if before == 0 {
			all = append(all, wrapped(text)...)
			all = append(all, wrapped(text+padding)...)
		}
	}
	return all
}

// wrapped returns base64 text in lines as tools write it by default (openssl 64,
// base64 76 characters), and each of these lines.
func wrapped(text string) []string {
	var all []string
	for _, width := range []int{64, 76} {
		if len(text) <= width {
			continue
		}
		var whole strings.Builder
		for from := 0; from < len(text); from += width {
			line := text[from:min(from+width, len(text))]
			if len(line) >= Minimum {
				all = append(all, line)
			}
			if from > 0 {
				whole.WriteByte('\n')
			}
			whole.WriteString(line)
		}
		all = append(all, whole.String())
	}
	return all
}
