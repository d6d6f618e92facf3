package present_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/switchyard-ci/switchyard/internal/present"
)

// FuzzSafe shows that nothing from outside commands a terminal.
func FuzzSafe(f *testing.F) {
	for _, seed := range []string{"plain", "\x1b[2J", "a\nb", "\xff", "\u202etxt", "é\u0301", "\u2028", "\x7f", "�"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := present.Safe(text)
		if strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) || !utf8.ValidString(got) {
			t.Errorf("%q became %q", text, got)
		}
		if present.Safe(got) != got {
			t.Errorf("%q is not safe yet", got)
		}
	})
}
