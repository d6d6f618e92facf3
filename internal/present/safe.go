package present

import (
	"strconv"
	"strings"
	"unicode"

	"al.essio.dev/pkg/shellescape"
)

// Safe returns s on one line. It escapes what could control a terminal or mislead
// a reader: control characters, changes of text direction, invalid UTF-8.
func Safe(s string) string {
	if !strings.ContainsFunc(s, unsafeRune) {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if !unsafeRune(r) {
			b.WriteRune(r)
			continue
		}
		quoted := strconv.QuoteRuneToASCII(r)
		b.WriteString(quoted[1 : len(quoted)-1])
	}
	return b.String()
}

func unsafeRune(r rune) bool {
	return !unicode.IsPrint(r) || r == unicode.ReplacementChar
}

// Command returns a command as it is written for a POSIX shell.
func Command(argv []string) string { return shellescape.QuoteCommand(argv) }
