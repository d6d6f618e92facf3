package redact

import (
	"bytes"
	"encoding/base64"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// encodings are those in which a secret is hidden, with how many characters may
// stay besides those of the text after it: in base64 a shared character, and the
// padding.
var encodings = map[string]struct {
	encode func(string) string
	behind int
}{
	"none":      {strings.Clone, 0},
	"std":       {in(base64.StdEncoding), 3},
	"std, raw":  {in(base64.RawStdEncoding), 1},
	"url":       {in(base64.URLEncoding), 3},
	"url, raw":  {in(base64.RawURLEncoding), 1},
	"query":     {url.QueryEscape, 0},
	"path":      {url.PathEscape, 0},
	"query, ff": {func(s string) string { return hexDigits.ReplaceAllStringFunc(url.QueryEscape(s), strings.ToLower) }, 0},
	"path, ff":  {func(s string) string { return hexDigits.ReplaceAllStringFunc(url.PathEscape(s), strings.ToLower) }, 0},
}

func in(e *base64.Encoding) func(string) string {
	return func(s string) string { return e.EncodeToString([]byte(s)) }
}

var hexDigits = regexp.MustCompile("%..")

// TestEncoded hides a secret in each encoding, with any text around it.
func TestEncoded(t *testing.T) {
	t.Parallel()
	names := slices.Sorted(maps.Keys(encodings))
	rapid.Check(t, func(t *rapid.T) {
		secret := strings.TrimSpace(string(rapid.SliceOfN(rapid.Byte(), Minimum, 40).Draw(t, "secret")))
		if TooShort(secret) || strings.ContainsAny(secret, "\r\n") {
			t.Skip("covered by another test")
		}
		encoding := encodings[rapid.SampledFrom(names).Draw(t, "encoding")]
		around := rapid.StringN(0, 5, -1)
		before, after := around.Draw(t, "before"), around.Draw(t, "after")
		var out bytes.Buffer
		w := NewWriter(&Secrets{}, &out)
		if err := w.secrets.Add(secret); err != nil {
			t.Fatal(err)
		}
		whole := encoding.encode(before + secret + after)
		writeSplit(t, w, whole)
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		left := strings.Split(out.String(), Marker)
		if len(left) < 2 {
			t.Fatalf("%q is not hidden in %q", secret, whole)
		}
		head, tail := left[0], left[len(left)-1]
		own := encoding.encode(before)
		if encoding.behind > 0 { // only the end of the data is padded
			own = strings.TrimRight(own, "=")
		}
		if most := len(own); len(head) > most {
			t.Errorf("%q is left before %q, more than %d bytes of %q", head, secret, most, whole)
		}
		if most := len(encoding.encode(after)) + encoding.behind; len(tail) > most {
			t.Errorf("%q is left behind %q, more than %d bytes of %q", tail, secret, most, whole)
		}
	})
}

// TestForms lists what is hidden and what stays.
func TestForms(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\nabc\n-----END KEY-----"
	long := strings.Repeat("0123456789abcdef", 10*maxSegment/16) + "the end"
	for _, tt := range []struct {
		name         string
		secrets      []string
		write, wants string
	}{
		{"no secrets", nil, "all of it\x1b[", "all of it\x1b["},
		{"too short", []string{"12345", " 12345\n", ""}, "12345 12345\n", "12345 12345\n"},
		{"the shortest", []string{"123456"}, "x123456x", "x[REDACTED]x"},
		{"space around it", []string{" secret\n"}, "secret.\nsecret\n", "[REDACTED].\n[REDACTED]\n"},
		{"several in a row", []string{"secret", "hidden"}, "secrethidden", "[REDACTED][REDACTED]"},
		{"the longest", []string{"secret", "secret-and-more"}, "secret-and-more secret-and-less", "[REDACTED] [REDACTED]-and-less"},
		{"overlapping", []string{"secret", "cretin"}, "secretin", "[REDACTED]"},
		{"inside another's beginning", []string{"my secret word", "secret"}, "my secret wort", "my [REDACTED] wort"},
		{"a beginning", []string{"secret"}, "secre", "secre"},
		{"all lines of several", []string{key}, strings.ReplaceAll(key, "\n", "\n> "), "[REDACTED]\n> [REDACTED]\n> abc\n> [REDACTED]"},
		{"several lines as they are", []string{key}, "<" + key + "\n>", "<[REDACTED]\n>"},
		{"Windows line ends", []string{strings.ReplaceAll(key, "\n", "\r\n")}, key, "[REDACTED]\n[REDACTED]\nabc\n[REDACTED]"},
		{"longer than a segment", []string{long}, "<" + long + ">", "<[REDACTED]>"},
		{"base64 in lines", []string{key}, "<" + lines(base64.StdEncoding.EncodeToString([]byte(key)), 64) + ">", "<[REDACTED]>"},
		{"base64 in longer lines", []string{key}, "<" + lines(base64.StdEncoding.EncodeToString([]byte(key)), 76) + ">", "<[REDACTED]>"},
		{"colors inside", []string{"secret"}, "\x1b[1mse\x1b[31mcr\x1b(B\x1b[met\x1b[m!", "\x1b[1m[REDACTED]\x1b[m!"},
		{"colors around", []string{"secret"}, "\x1b[31msecret\x1b[m", "\x1b[31m[REDACTED]\x1b[m"},
		{"in a control sequence", []string{"1234567"}, "\x1b[1234567m", "\x1b[[REDACTED]m"},
		{"in a link", []string{"secret"}, "\x1b]8;;http://secret\x07here", "\x1b]8;;http://[REDACTED]\x07here"},
		{"every byte value", []string{everyByte()}, "<" + everyByte() + ">", "<[REDACTED]>"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			w := NewWriter(&Secrets{}, &out)
			if err := w.secrets.Add(tt.secrets...); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(tt.write)); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			if out.String() != tt.wants {
				t.Errorf("%q, want %q", out.String(), tt.wants)
			}
		})
	}
}

func lines(s string, width int) string {
	var all []string
	for chunk := range slices.Chunk([]byte(s), width) {
		all = append(all, string(chunk))
	}
	return strings.Join(all, "\n")
}

func everyByte() string {
	var all []byte
	for b := range 256 {
		all = append(all, byte(b))
	}
	return "<" + string(all) + strings.Join(strings.Split(string(all), ""), "....") + ">"
}
