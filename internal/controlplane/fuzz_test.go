package controlplane

import (
	"strings"
	"testing"
)

// FuzzParseSecret checks that errors do not contain the token, and that an accepted
// token matches itself only.
func FuzzParseSecret(f *testing.F) {
	for _, seed := range []string{
		"0123456789abcdef0123456789abcdef", "short", "sha256:", "sha256:" + strings.Repeat("ab", 32), "sha256:" + strings.Repeat("zz", 32),
		"with space 0123456789abcdef0123456789", "\xff0123456789abcdef0123456789abcdef", strings.Repeat("x", 10000),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := parseSecret(value)
		switch {
		case err != nil && len(value) > len("sha256:") && strings.Contains(err.Error(), value):
			t.Errorf("error %q contains the token", err)
		case err == nil && strings.Contains(value, "\n"):
			if len(got.hashes) != strings.Count(value, "\n")+1 {
				t.Errorf("%q has %d tokens", value, len(got.hashes))
			}
		case err == nil && got.clear != "" && (got.clear != value || !got.hashes[0].Matches(value) || got.hashes[0].Matches(value+"x")):
			t.Errorf("%q was parsed as %q", value, got.clear)
		case err == nil && got.clear == "" && got.hashes[0].Matches(value):
			t.Errorf("%q, the text of a hash, matches the hash", value)
		}
	})
}
