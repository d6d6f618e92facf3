package logview

import (
	"bytes"
	"fmt"
	"strconv"
	"unicode/utf8"
)

// maxMoves bounds the columns that the sequences of one line may skip or erase: a short
// sequence makes the terminal fill or clear a whole line.
const maxMoves = 1 << 20

// filtered is what terminal may see of a line: printable characters, tabs, moves in the
// line, and the sequences for style. It follows the place of the cursor, so that terminal
// never begins another line, and does no more work than maxMoves and the text allow.
type filtered struct {
	out     []byte
	columns int // the width of the terminal
	x       int // the column of the cursor, which is columns after the last one
	moves   int // the columns that were skipped or erased
}

// filter returns what a terminal of so many columns may see of a text.
func filter(text []byte, columns int) []byte {
	f := filtered{out: make([]byte, 0, len(text)), columns: columns}
	for len(text) > 0 {
		if text[0] == escape {
			size, final, ok := sequence(text)
			if !ok {
				break
			}
			if final != 0 {
				f.control(text[2:size-1], final)
			}
			text = text[size:]
			continue
		}
		r, size := utf8.DecodeRune(text)
		f.character(r)
		text = text[size:]
	}
	return f.out
}

// character adds a character, unless it is beyond the last column.
func (f *filtered) character(r rune) {
	switch {
	case r == '\r':
		f.x = 0
	case r == '\b':
		f.x = max(0, f.x-1)
	case controls(r) || f.x >= f.columns:
		return
	default:
		f.x++
	}
	f.out = utf8.AppendRune(f.out, r)
}

// control adds a CSI sequence for style, or one with at most one number that moves the
// cursor or erases a part of the line.
func (f *filtered) control(parameters []byte, final byte) {
	if final == 'm' {
		if bytes.IndexFunc(parameters, func(r rune) bool { return (r < '0' || r > '9') && r != ';' }) < 0 {
			f.out = fmt.Appendf(f.out, "\x1b[%sm", parameters)
		}
		return
	}
	n, err := strconv.ParseUint(string(parameters), 10, 16)
	if err != nil && len(parameters) > 0 {
		return
	}
	by := int(n)
	if len(parameters) == 0 && final != 'K' {
		by = 1
	}
	x, cost := f.x, 0
	switch final {
	case 'C':
		x = min(f.x+by, f.columns-1)
		cost = max(0, x-f.x)
	case 'D':
		x = max(0, f.x-by)
	case 'G':
		x = min(max(0, by-1), f.columns-1)
		cost = max(0, x-f.x)
	case 'K':
		if by != 0 { // what is written next may fill the line up to its place again
			cost = f.x
		}
	default:
		return
	}
	if f.moves+cost > maxMoves {
		return
	}
	f.x, f.moves = x, f.moves+cost
	f.out = fmt.Appendf(f.out, "\x1b[%d%c", by, final)
}
