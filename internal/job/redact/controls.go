package redact

import (
	"bytes"
	"slices"
)

const (
	escape = 0x1b
	// The most bytes of a control sequence's parts. The longest that are in use
	// set two colours, with 35.
	maxParameters, maxIntermediates = 64, 4
)

// control tells how long the control sequence is that text begins with: CSI,
// such as colours and cursor movements, or the choice of a character set, which
// goes with colours in what tput writes. It is 0 if there is none. Unless text
// is final, more tells that it may be the beginning of one.
//
// What else there is (titles, links) has text in it, where a secret may stand,
// and so is left as it is.
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

// skip leaves out the bytes from low to high that text begins with, at most so
// many.
func skip(text []byte, low, high byte, most int) []byte {
	n := 0
	for n < len(text) && n < most && text[n] >= low && text[n] <= high {
		n++
	}
	return text[n:]
}

// plain is a text without its control sequences.
type plain struct {
	text []byte
	cuts []cut // one for each control sequence
	end  int   // of what was looked at; what follows may be the beginning of a control sequence
}

// cut is where a control sequence stood.
type cut struct {
	at         int // in the plain text
	start, end int // in the text that it was taken from
}

// strip takes the control sequences out of raw, up to one at its end that is
// not whole. Then p is as good as new.
func (p *plain) strip(raw []byte, final bool) {
	p.text, p.cuts, p.end = p.text[:0], p.cuts[:0], len(raw)
	for from := 0; from < len(raw); {
		n := bytes.IndexByte(raw[from:], escape)
		if n < 0 {
			p.text = append(p.text, raw[from:]...)
			return
		}
		p.text = append(p.text, raw[from:from+n]...)
		from += n
		length, more := control(raw[from:])
		switch {
		case more && !final:
			p.end = from
			return
		case length > 0:
			p.cuts = append(p.cuts, cut{len(p.text), from, from + length})
			from += length
		default:
			p.text = append(p.text, escape)
			from++
		}
	}
}

// raw is the place of a byte of the plain text in the text that it was taken
// from.
func (p *plain) raw(at int) int {
	after, _ := slices.BinarySearchFunc(p.cuts, at+1, func(c cut, at int) int { return c.at - at })
	if after == 0 {
		return at
	}
	last := p.cuts[after-1]
	return last.end + at - last.at
}

// outside is a place in the text that p was taken from, or the start of the
// control sequence that it is in.
func (p *plain) outside(at int) int {
	at = min(at, p.end)
	i, _ := slices.BinarySearchFunc(p.cuts, at, func(c cut, at int) int { return c.end - 1 - at })
	if i < len(p.cuts) && p.cuts[i].start < at {
		return p.cuts[i].start
	}
	return at
}

// stripped is a secret without its control sequences.
func stripped(secret string) string {
	var p plain
	p.strip([]byte(secret), true)
	return string(p.text)
}
