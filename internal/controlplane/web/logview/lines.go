package logview

import (
	"bytes"
	"fmt"
)

const (
	// maxLine bounds what is kept of a line, in bytes.
	maxLine = 64 << 10
	// maxStyle bounds what is kept of a style, in bytes.
	maxStyle = 128
)

// Line is one line of a log, without its end.
type Line struct {
	// Number counts from 1.
	Number int
	// Offset is the place of the first byte in the log.
	Offset uint64
	// Text is valid until the next call of Lines.
	Text []byte
	// Style are the control sequences of the style with which the line begins.
	Style string
	// Notice is what is shown instead of a text: bytes are missing.
	Notice string
}

// Lines cuts the bytes of a log into lines. It is for one goroutine.
type Lines struct {
	next   Line // the line that has not ended
	begun  bool // the line has bytes
	reach  uint64
	text   []byte
	style  string // after the bytes so far
	escape []byte // the beginning of a control sequence, at the end of the bytes so far

	// textAt is where the text begins: in a line that is too long after what was
	// overwritten. cut is set if even that is too long, and returned if its last byte so
	// far is a carriage return.
	textAt        uint64
	cut, returned bool
}

// NewLines returns Lines that begin at a mark.
func NewLines(at Mark) *Lines {
	return &Lines{next: Line{Number: at.Line, Offset: at.Offset}, reach: at.Offset, style: at.Style}
}

// Clone returns a copy, which goes on from the same place.
func (l *Lines) Clone() *Lines {
	clone := *l
	clone.text, clone.escape = bytes.Clone(l.text), bytes.Clone(l.escape)
	return &clone
}

// Reach returns the offset of the next byte that Add has not taken.
func (l *Lines) Reach() uint64 { return l.reach }

// Add takes the next bytes of the log, which begin at an offset, and calls handle with
// every line that they end, until it returns false.
func (l *Lines) Add(offset uint64, data []byte, handle func(Line) bool) bool {
	if offset > l.reach && !l.gap(offset, handle) {
		return false
	}
	if offset < l.reach { // known already
		data = data[min(uint64(len(data)), l.reach-offset):]
	}
	for len(data) > 0 {
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			l.grow(data)
			return true
		}
		l.grow(data[:end])
		l.reach++ // the end of the line
		data = data[end+1:]
		if !handle(l.take()) {
			return false
		}
	}
	return true
}

// gap ends the line that has begun, and adds one that says how many bytes are missing.
func (l *Lines) gap(offset uint64, handle func(Line) bool) bool {
	missing := offset - l.reach
	if l.begun && !handle(l.take()) {
		return false
	}
	notice := l.take()
	notice.Notice = fmt.Sprintf("%d bytes of the log are missing here", missing)
	l.reach, l.next.Offset = offset, offset
	return handle(notice)
}

// Rest returns the line that has not ended, and reports whether it has begun.
func (l *Lines) Rest() (Line, bool) {
	line := l.next
	line.Text = l.text
	return line, l.begun
}

// Next returns the place at which the line begins that has not ended.
func (l *Lines) Next() Mark {
	return Mark{Line: l.next.Number, Offset: l.next.Offset, Style: l.next.Style}
}

// take ends the line.
func (l *Lines) take() Line {
	line := l.next
	line.Text = l.text
	l.next = Line{Number: line.Number + 1, Offset: l.reach, Style: l.style}
	l.text, l.begun, l.cut, l.escape = l.text[:0], false, false, nil
	return line
}

// grow adds bytes to the line.
func (l *Lines) grow(data []byte) {
	if !l.begun {
		l.next.Style, l.begun = l.style, true
	}
	l.follow(data)
	for len(data) > 0 {
		part := data[:min(len(data), maxLine)]
		data = data[len(part):]
		l.keep(part)
		l.reach += uint64(len(part))
	}
}

// keep adds up to maxLine bytes to the text. Of a line that is too long it keeps what
// follows the last carriage return, which has overwritten the rest, and of that the
// beginning. A carriage return at the end has overwritten nothing yet.
func (l *Lines) keep(part []byte) {
	at := l.reach
	if l.cut {
		last := bytes.LastIndexByte(part[:len(part)-1], '\r')
		switch {
		case last >= 0:
			part, at = part[last+1:], at+uint64(last)+1
		case !l.returned:
			l.returned = part[len(part)-1] == '\r'
			return
		}
		l.text, l.cut = l.text[:0], false
	}
	if len(l.text) == 0 {
		l.textAt = at
	}
	l.text = append(l.text, part...)
	if len(l.text) <= maxLine {
		return
	}
	if last := bytes.LastIndexByte(l.text[:len(l.text)-1], '\r'); last >= 0 {
		l.text = append(l.text[:0], l.text[last+1:]...)
		l.textAt += uint64(last) + 1
	}
	if len(l.text) > maxLine {
		l.returned = l.text[len(l.text)-1] == '\r'
		l.text, l.cut = l.text[:maxLine], true
	}
}

// follow keeps the style up to date.
func (l *Lines) follow(data []byte) {
	if len(l.escape) > 0 {
		data = append(l.escape, data...)
		l.escape = nil
	}
	for {
		at := bytes.IndexByte(data, escape)
		if at < 0 {
			return
		}
		data = data[at:]
		size, final, ok := sequence(data)
		if !ok { // it goes on in the next bytes, or never ends
			if len(data) <= maxStyle {
				l.escape = bytes.Clone(data)
			}
			return
		}
		if final == 'm' {
			l.restyle(string(data[:size]))
		}
		data = data[size:]
	}
}

func (l *Lines) restyle(code string) {
	switch {
	case code == "\x1b[m" || code == "\x1b[0m":
		l.style = ""
	case len(code) > maxStyle: // no terminal has such a style
	case len(l.style)+len(code) <= maxStyle:
		l.style += code
	default: // too many without an end
		l.style = code
	}
}
