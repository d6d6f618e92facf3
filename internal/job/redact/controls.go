package redact

import (
	"bytes"
	"slices"
)

const (
	escape = 0x1b
	// maxParameters and maxIntermediates bound the parts of a control sequence,
	// in bytes. The longest in use sets two colors, with 35 bytes.
	maxParameters, maxIntermediates = 64, 4
)

// control returns the length of the control sequence that text begins with, or
// 0, and reports whether text may be the beginning of a longer one. Control
// sequences are CSI (colors, cursor movements) and the selection of a character
// set, which tput writes together with colors.
//
// Other escape sequences (titles, links) contain text in which a secret may
// stand, so they are searched like text.
func control(text []byte) (length int, more bool) {
	if len(text) == 0 || text[0] != escape {
		return 0, false
	}
	if len(text) == 1 {
		return 0, true
	}
	rest := text[2:]
	switch text[1] {
	case '[':
		rest = skip(rest, '0', '?', maxParameters)
		rest = skip(rest, ' ', '/', maxIntermediates)
		if len(rest) > 0 && (rest[0] < '@' || rest[0] > '~') {
			return 0, false
		}
	case '(', ')', '*', '+':
		if len(rest) > 0 && (rest[0] < '0' || rest[0] > '~') {
			return 0, false
		}
	default:
		return 0, false
	}
	if len(rest) == 0 {
		return 0, true
	}
	return len(text) - len(rest) + 1, false
}

// skip returns text without its leading bytes from low to high, at most limit of
// them.
func skip(text []byte, low, high byte, limit int) []byte {
	n := 0
	for n < len(text) && n < limit && text[n] >= low && text[n] <= high {
		n++
	}
	return text[n:]
}

// bare is a text without its control sequences.
type bare struct {
	text []byte
	cuts []cut // one for each control sequence
	end  int   // how much of the original was read; an incomplete control sequence may follow
}

// cut is the place of a control sequence.
type cut struct {
	at         int // in the bare text
	start, end int // in the original
}

// strip sets b to original without its control sequences. Unless final, it stops
// at an incomplete one at the end.
func (b *bare) strip(original []byte, final bool) {
	b.text, b.cuts, b.end = b.text[:0], b.cuts[:0], len(original)
	for from := 0; from < len(original); {
		n := bytes.IndexByte(original[from:], escape)
		if n < 0 {
			b.text = append(b.text, original[from:]...)
			return
		}
		b.text = append(b.text, original[from:from+n]...)
		from += n
		length, more := control(original[from:])
		switch {
		case more && !final:
			b.end = from
			return
		case length > 0:
			b.cuts = append(b.cuts, cut{len(b.text), from, from + length})
			from += length
		default:
			b.text = append(b.text, escape)
			from++
		}
	}
}

// original returns the position in the original of a position in the bare text.
func (b *bare) original(at int) int {
	after, _ := slices.BinarySearchFunc(b.cuts, at+1, func(c cut, at int) int { return c.at - at })
	if after == 0 {
		return at
	}
	last := b.cuts[after-1]
	return last.end + at - last.at
}

// outside returns a position in the original, moved to the start of the control
// sequence that it is in, if any.
func (b *bare) outside(at int) int {
	at = min(at, b.end)
	i, _ := slices.BinarySearchFunc(b.cuts, at, func(c cut, at int) int { return c.end - 1 - at })
	if i < len(b.cuts) && b.cuts[i].start < at {
		return b.cuts[i].start
	}
	return at
}

// stripped returns a secret without its control sequences.
func stripped(secret string) string {
	var b bare
	b.strip([]byte(secret), true)
	return string(b.text)
}
