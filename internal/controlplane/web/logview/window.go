package logview

import "bytes"

// maxWindow bounds the text of the lines of a window, in bytes. Rendered it can have ten
// times as many.
const maxWindow = 1 << 20

// Window returns up to count lines of a log from a line on, rendered, and whether the last
// one has not ended. It returns fewer lines, at least one, of a log whose lines have more
// than 1 MiB together. It reads no more than it needs.
func (x *Index) Window(read Reader, from, count int) (shown []Shown, partial bool, err error) {
	size := 0
	rest, partial, err := x.scan(read, from, func(line Line) bool {
		shown = append(shown, Show(line))
		size += len(line.Text)
		return len(shown) < count && size < maxWindow
	})
	if partial {
		shown = append(shown, Show(rest))
	}
	return shown, partial, err
}

// Tail returns the last lines of a log, up to count of those from a line on, as Window does:
// fewer if they have more than 1 MiB together.
func (x *Index) Tail(read Reader, from, count int) (shown []Shown, partial bool, err error) {
	var last []Line
	size := 0
	keep := func(line Line) bool {
		line.Text = bytes.Clone(line.Text)
		last, size = append(last, line), size+len(line.Text)
		for len(last) > count || size > maxWindow && len(last) > 1 {
			size -= len(last[0].Text)
			last = last[1:]
		}
		return true
	}
	rest, partial, err := x.scan(read, from, keep)
	if partial {
		keep(rest)
	}
	for _, line := range last {
		shown = append(shown, Show(line))
	}
	return shown, partial, err
}

// scan calls take with the lines of a log from a line on, until it returns false, and
// returns the line at the end that has not ended. Of a long line it reads only what is
// shown.
func (x *Index) scan(read Reader, from int, take func(Line) bool) (rest Line, partial bool, err error) {
	s := scanner{index: x, lines: x.Lines(max(1, from)), from: from, take: take}
	for !s.done {
		if err := s.next(read); err != nil {
			return Line{}, false, err
		}
	}
	if s.stopped {
		return Line{}, false, nil
	}
	rest, partial = s.lines.Rest()
	return rest, partial && rest.Number >= from, nil
}

// scanner goes through lines.
type scanner struct {
	index *Index
	lines *Lines
	from  int
	take  func(Line) bool

	stopped bool // take wants no more
	done    bool // there are no more, or it has stopped
}

// next takes a long line, or lines up to one, or to the end.
func (s *scanner) next(read Reader) error {
	number, begun := s.lines.next.Number, s.lines.begun
	if long, ok := s.index.longAt(number); ok && !begun {
		return s.long(read, long)
	}
	if !begun {
		if last := s.index.longLast(number); last != nil {
			s.lines = last
		}
	}
	jump := false
	for chunk, err := range read(s.lines.reach) {
		if err != nil {
			return err
		}
		if !s.lines.Add(chunk.Offset, chunk.Data, func(line Line) bool {
			s.give(line)
			if s.done {
				return false
			}
			_, jump = s.index.longAt(line.Number + 1)
			jump = jump || s.index.longLast(line.Number+1) != nil
			return !jump
		}) {
			break
		}
	}
	s.done = !jump
	return nil
}

// long takes a long line.
func (s *scanner) long(read Reader, long longLine) error {
	s.lines = NewLines(long.next)
	if long.Line < s.from {
		return nil
	}
	text, err := textOf(read, long)
	if err == nil {
		s.give(Line{Number: long.Line, Offset: long.Offset, Style: long.Style, Text: text})
	}
	return err
}

// give takes a line.
func (s *scanner) give(line Line) {
	if line.Number >= s.from && !s.take(line) {
		s.stopped, s.done = true, true
	}
}

// textOf reads what is shown of a long line.
func textOf(read Reader, long longLine) ([]byte, error) {
	size := min(maxLine, long.next.Offset-long.textAt)
	text := make([]byte, 0, size)
	for chunk, err := range read(long.textAt) {
		if err != nil {
			return nil, err
		}
		text = append(text, chunk.Data[:min(uint64(len(chunk.Data)), size-uint64(len(text)))]...)
		if uint64(len(text)) == size {
			break
		}
	}
	return bytes.TrimSuffix(text, []byte("\n")), nil
}
