package present

import (
	"strconv"
	"strings"
	"unicode"
)

// Safe is s on one line, with whatever could command a terminal or deceive a
// reader (control characters, changes of direction, broken UTF-8) escaped.
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

// Command is a command as a POSIX shell would take it.
func Command(argv []string) string {
	words := make([]string, len(argv))
	for i, word := range argv {
		words[i] = shellWord(word)
	}
	return strings.Join(words, " ")
}

// bare are the characters that mean themselves to a shell, anywhere in a word.
const bare = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789%+,-./:=@_"

func shellWord(word string) string {
	if word != "" && strings.Trim(word, bare) == "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}
