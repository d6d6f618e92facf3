package redact

import (
	"encoding/base64"
	"net/url"
	"strings"
)

const (
	// Minimum is the fewest bytes of a secret that is hidden, as in other
	// agents of the field.
	Minimum = 6
	// maxPiece is the most bytes of a secret that are looked for as one. A
	// longer secret is cut into pieces, each a secret of its own, so that what
	// is held back stays small.
	maxPiece = 16 << 10
)

// forms gives what to look for so that the secret is hidden; nothing if the
// secret is too short. Some may be repeated.
func forms(secret string) []string {
	var all []string
	for _, part := range parts(secret) {
		all = append(all, part)
		all = append(all, urlForms(part)...)
		all = append(all, base64Forms(part, base64.RawStdEncoding)...)
		all = append(all, base64Forms(part, base64.RawURLEncoding)...)
		if bare := stripped(part); len(bare) >= Minimum {
			all = append(all, bare) // it is looked for in text without control sequences
		}
	}
	return all
}

// TooShort tells whether a secret is too short to be hidden.
func TooShort(secret string) bool { return len(strings.TrimSpace(secret)) < Minimum }

// parts are the secret and each of its lines, without the space around them, in
// pieces where they are long.
func parts(secret string) []string {
	secret = strings.TrimSpace(secret)
	lines := []string{secret}
	if strings.ContainsAny(secret, "\r\n") {
		lines = append(lines, strings.FieldsFunc(secret, func(r rune) bool { return r == '\r' || r == '\n' })...)
	}
	var all []string
	for _, line := range lines {
		if line = strings.TrimSpace(line); len(line) >= Minimum {
			all = append(all, pieces(line)...)
		}
	}
	return all
}

// pieces cuts what is too long. The last piece reaches back into the one before
// it, and so is as long as the others.
func pieces(secret string) []string {
	var all []string
	for len(secret) > maxPiece {
		all = append(all, secret[:maxPiece])
		secret = secret[min(maxPiece, len(secret)-maxPiece):]
	}
	return append(all, secret)
}

// urlForms are the forms in a URL. Go's own, and most, write capital digits;
// some write small ones.
func urlForms(s string) []string {
	query, path := url.QueryEscape(s), url.PathEscape(s)
	return []string{query, smallDigits(query), path, smallDigits(path)}
}

// smallDigits writes the digits behind each percent sign small.
func smallDigits(escaped string) string {
	const digits = 2
	b := []byte(escaped)
	for i := range b {
		if b[i] == '%' {
			copy(b[i+1:], strings.ToLower(escaped[i+1:i+1+digits]))
		}
	}
	return string(b)
}

// base64Forms are the forms in base64, where 0, 1 or 2 bytes of something else
// come before the secret in its group of three: the characters that depend on
// the secret alone; and, for data that ends with the secret, those to its end,
// with padding and without.
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

// wrapped are base64 text in lines as long as tools make them by default, and
// those lines: openssl 64, base64 76.
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
