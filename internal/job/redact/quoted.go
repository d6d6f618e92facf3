package redact

import (
	"fmt"
	"html"
	"math"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// printers return a secret as common tools print it between quotes, or escaped.
//
//nolint:gochecknoglobals // a table, never written
var printers = []func(string) string{
	// Shells: their traces (set -x), export -p, and other output for reading it again.
	replaced("'", `'\''`),                       // bash and zsh, in single quotes
	replaced("'", `'"'"'`),                      // Python's shlex
	quoteRuns,                                   // dash
	replaced("'", `\'`, `\`, `\\`),              // fish; JavaScript and PHP
	replaced("'", `''`),                         // SQL, PowerShell, YAML
	replaced(`"`, `""`),                         // CSV
	escaped("\\$\"`", nil),                      // bash, in double quotes
	escaped("\\$\"`!", nil),                     // zsh
	escaped(" !\"$&'()*,;<>?[\\]^`{|}", nil),    // bash: printf %q
	escaped(" !\"#$&'()*,;<>=?[\\]^`{|}~", nil), // zsh
	escaped(`\'`, shellControls),                // bash: $'...'
	octal(escaped(`\'`, shellControls)),         // the same in the C locale
	octal(escaped(`\"`, shellControls)),         // C; names of files by git
	replaced("$", "$$"),                         // make, Docker Compose
	// JSON, and literals of programming languages.
	escaped(`\"`, jsonControls),
	escaped(`\"/`, jsonControls), // PHP
	escaped(`\"`, jqControls),
	escaped(`\`, tsvControls),
	replacedAfter(escaped(`\"`, jsonControls), "<", `\u003c`, ">", `\u003e`, "&", `\u0026`),                // Go
	replacedAfter(escaped(`\"`, jsonControls), "<", `\u003C`, ">", `\u003E`, "&", `\u0026`, "'", `\u0027`), // Ruby, .NET
	ascii(escaped(`\"`, jsonControls), jsonRune),                                                           // Python
	ascii(escaped(`\"`, jqControls), jsonRune),                                                             // jq
	escaped(`\'`, hexControls),                                                                             // Python's repr
	escaped(`\`, hexControls),                                                                              // the same in double quotes
	ascii(escaped(`\'`, hexControls), pythonRune),
	ascii(escaped(`\`, hexControls), pythonRune),
	escaped(`\"`, goControls),
	ascii(escaped(`\"`, goControls), goRune),
	escaped(`\'`, upperHexControls), // JavaScript's console.log
	escaped(`\`, upperHexControls),
	// XML and HTML.
	html.EscapeString,
	replaced("&", "&amp;", "<", "&lt;", ">", "&gt;"),
	replaced("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;"),
	replaced("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&apos;"),
	replaced("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#x27;"),
	replaced("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "'", "&#39;"),
	replaced("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;", "\t", "&#x9;", "\n", "&#xA;", "\r", "&#xD;"), // Go
	replaced("&", "&amp;", "<", "&lt;", ">", "&gt;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;"),                              // attributes
	replaced("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;", "\t", "&#9;", "\n", "&#10;", "\r", "&#13;"),
}

// isPlain reports whether a secret has no character that a tool changes.
func isPlain(s string) bool {
	for i := range len(s) {
		if c := s[i]; !isLetterOrDigit(c) && c != '_' && c != '-' && c != '.' {
			return false
		}
	}
	return true
}

func isLetterOrDigit(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

// quotedForms returns the secret as common tools print it.
func quotedForms(s string) []string {
	all := make([]string, 0, len(printers))
	for _, printer := range printers {
		if form := printer(s); form != s {
			all = append(all, form)
		}
	}
	return all
}

// replaced returns a printer that replaces strings.
func replaced(oldnew ...string) func(string) string { return strings.NewReplacer(oldnew...).Replace }

// replacedAfter returns a printer that does so after another one.
func replacedAfter(first func(string) string, oldnew ...string) func(string) string {
	then := replaced(oldnew...)
	return func(s string) string { return then(first(s)) }
}

// escaped returns a printer that puts a backslash in front of some characters, and
// writes control characters as control does, if it is not nil.
func escaped(characters string, control func(byte) string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for i := range len(s) {
			switch c := s[i]; {
			case strings.IndexByte(characters, c) >= 0:
				b.WriteByte('\\')
				b.WriteByte(c)
			case control != nil && (c < ' ' || c == del):
				b.WriteString(control(c))
			default:
				b.WriteByte(c)
			}
		}
		return b.String()
	}
}

// del is the control character beside those below the space.
const del = 0x7f

// shortControls are the names of control characters that most tools agree on.
//
//nolint:gochecknoglobals // a table, never written
var shortControls = map[byte]string{'\n': `\n`, '\r': `\r`, '\t': `\t`, '\b': `\b`, '\f': `\f`}

// shellControls writes a control character as shells and C do.
func shellControls(c byte) string {
	if c == escape {
		return `\E`
	}
	return cControls(c, `\%03o`)
}

// cControls writes a control character as C does: by its name, or else in a format.
func cControls(c byte, format string) string {
	switch c {
	case '\a':
		return `\a`
	case '\v':
		return `\v`
	}
	if short, ok := shortControls[c]; ok {
		return short
	}
	return fmt.Sprintf(format, c)
}

func jsonControls(c byte) string {
	if short, ok := shortControls[c]; ok {
		return short
	}
	if c == del {
		return string(c)
	}
	return fmt.Sprintf(`\u%04x`, c)
}

// jqControls writes a control character as jq does.
func jqControls(c byte) string {
	if c == del {
		return `\u007f`
	}
	return jsonControls(c)
}

// tsvControls writes a control character as in tab-separated values.
func tsvControls(c byte) string {
	if c == '\t' || c == '\n' || c == '\r' {
		return shortControls[c]
	}
	return string(c)
}

// hexControls writes a control character as Python does.
func hexControls(c byte) string {
	if short, ok := shortControls[c]; ok && c != '\b' && c != '\f' {
		return short
	}
	return fmt.Sprintf(`\x%02x`, c)
}

// goControls writes a control character as Go does.
func goControls(c byte) string { return cControls(c, `\x%02x`) }

// upperHexControls writes a control character as JavaScript does.
func upperHexControls(c byte) string {
	if short, ok := shortControls[c]; ok {
		return short
	}
	return fmt.Sprintf(`\x%02X`, c)
}

// quoteRuns writes each run of single quotes in double quotes, between single quotes.
func quoteRuns(s string) string {
	return singleQuotes.ReplaceAllString(s, `'"$0"'`)
}

var singleQuotes = regexp.MustCompile(`'+`)

// octal returns a printer that also writes the bytes outside ASCII in octal.
func octal(first func(string) string) func(string) string {
	return func(s string) string {
		text := first(s)
		var b strings.Builder
		for i := range len(text) {
			if text[i] < utf8.RuneSelf {
				b.WriteByte(text[i])
			} else {
				fmt.Fprintf(&b, `\%03o`, text[i])
			}
		}
		return b.String()
	}
}

// ascii returns a printer that also writes the characters outside ASCII as other does.
func ascii(first func(string) string, other func(rune) string) func(string) string {
	return func(s string) string {
		var b strings.Builder
		for _, r := range first(s) {
			if r < utf8.RuneSelf {
				b.WriteRune(r)
			} else {
				b.WriteString(other(r))
			}
		}
		return b.String()
	}
}

// maxShort is the last character that is written with four digits.
const maxShort = 0xffff

func jsonRune(r rune) string {
	if r <= maxShort {
		return fmt.Sprintf(`\u%04x`, r)
	}
	high, low := utf16.EncodeRune(r)
	return fmt.Sprintf(`\u%04x\u%04x`, high, low)
}

func goRune(r rune) string {
	if r <= maxShort {
		return fmt.Sprintf(`\u%04x`, r)
	}
	return fmt.Sprintf(`\U%08x`, r)
}

func pythonRune(r rune) string {
	if r <= math.MaxUint8 {
		return fmt.Sprintf(`\x%02x`, r)
	}
	return goRune(r)
}

// urlForms returns the forms in a URL. Programs differ in which characters they leave.
// Most write upper-case digits, some lower-case ones.
func urlForms(s string) []string {
	all := []string{url.QueryEscape(s), url.PathEscape(s), strings.ReplaceAll(percent(s, "*-._ "), " ", "+")} // the last one: HTML forms
	for _, left := range leftInURLs {
		all = append(all, percent(s, left))
	}
	for _, form := range all {
		all = append(all, lowerDigits(form))
	}
	return all
}

// leftInURLs are the characters besides letters and digits that programs leave in URLs.
//
//nolint:gochecknoglobals // a table, never written
var leftInURLs = []string{
	"-._~",                 // curl, RFC 3986
	"-._~/",                // Python
	"-._~!'()*",            // JavaScript's encodeURIComponent
	"-._~!()*",             // the same in a query
	"-._~!'()*;/?:@&=+$,#", // JavaScript's encodeURI
	"-._~$&+,;=",           // user and password, by Go
	"-._~$&+,/:;=@",        // a path, by Go
}

// percent returns s with every byte but letters, digits and those of left in URL
// encoding.
func percent(s, left string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if isLetterOrDigit(c) || strings.IndexByte(left, c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
