package logview

import (
	"bytes"
	"html"
	"html/template"
	"unicode/utf8"

	terminal "github.com/buildkite/terminal-to-html/v3"
)

// escape begins a control sequence, and bell ends some of them.
const escape, bell = 0x1b, 0x07

// HTML returns a line as HTML: its text escaped, with spans for its colors. Only the
// sequences that change the style or the place in the line have an effect. Links, images
// and titles, which a log could use to mislead its reader, are left out.
func HTML(line Line) template.HTML {
	if line.Notice != "" {
		return template.HTML(`<em class="notice">` + html.EscapeString(line.Notice) + `</em>`) //nolint:gosec // escaped
	}
	text := bytes.TrimSuffix(line.Text, []byte("\r"))
	if line.Style == "" && bytes.IndexFunc(text, controls) < 0 && utf8.Valid(text) {
		return template.HTML(html.EscapeString(string(text))) //nolint:gosec // escaped
	}
	raw := append([]byte(line.Style), text...)
	columns := len(raw) + 1
	kept := filter(raw, columns)
	screen, err := terminal.NewScreen(terminal.WithSize(columns, 1))
	if err != nil { // the size is positive
		return template.HTML(html.EscapeString(string(text))) //nolint:gosec // escaped
	}
	_, _ = screen.Write(kept) // never fails
	rendered := screen.AsHTML()
	for rendered != "" && rendered[len(rendered)-1] == '\n' {
		rendered = rendered[:len(rendered)-1]
	}
	if rendered == "&nbsp;" {
		return ""
	}
	return template.HTML(rendered) //nolint:gosec // terminal escapes all text, and filter left no other element
}

// controls reports whether a rune needs more than escaping.
func controls(r rune) bool {
	return r < ' ' && r != '\t' || r == 0x7f || r >= 0x80 && r < 0xa0 || hidden(r)
}

// hidden reports whether a rune changes the direction of the text around it.
func hidden(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

// sequence returns the size of the control sequence at the beginning of text, and the
// character that ends it, 0 if it is not a CSI sequence. It reports whether the sequence
// has an end.
func sequence(text []byte) (size int, final byte, ok bool) {
	if len(text) < 2 {
		return 0, 0, false
	}
	switch text[1] {
	case '[': // CSI
		for i := 2; i < len(text); i++ {
			if c := text[i]; c >= 0x40 && c <= 0x7e {
				return i + 1, c, true
			}
		}
		return 0, 0, false
	case ']', 'P', 'X', '^', '_': // OSC, DCS, SOS, PM and APC: up to BEL or ST
		for i := 2; i < len(text); i++ {
			switch {
			case text[i] == bell:
				return i + 1, 0, true
			case text[i] == escape && i+1 < len(text) && text[i+1] == '\\':
				return i + len(`x\`), 0, true
			}
		}
		return 0, 0, false
	default: // such as ESC ( B, which chooses a character set
		for i := 1; i < len(text); i++ {
			if text[i] < 0x20 || text[i] > 0x2f {
				return i + 1, 0, true
			}
		}
		return 0, 0, false
	}
}
