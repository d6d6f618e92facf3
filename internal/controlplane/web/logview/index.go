package logview

import (
	"bytes"
	"iter"
	"sort"
	"sync"
)

// maxMarks bounds the marks of a log; beyond it every second one is dropped.
const maxMarks = 4096

// firstStep is the number of lines between two marks of a short log.
const firstStep = 256

// maxWindow bounds the text of the lines of a window, in bytes. Rendered it can have ten
// times as many.
const maxWindow = 1 << 20

// Mark is a place in a log: the beginning of a line.
type Mark struct {
	Line   int
	Offset uint64
	// Style are the control sequences of the style with which the line begins.
	Style string
}

// First returns the beginning of every log.
func First() Mark { return Mark{Line: 1} }

// Chunk is a range of bytes of a log.
type Chunk struct {
	Offset uint64
	Data   []byte
}

// Reader returns the chunks of a log, from an offset on, in order.
type Reader func(from uint64) iter.Seq2[Chunk, error]

// Index finds the lines of a log. Its methods may be called concurrently.
type Index struct {
	mu    sync.Mutex
	step  int
	marks []Mark // every step lines, from the first one on
	next  Mark   // the first line that has not ended
}

// NewIndex returns the index of an empty log.
func NewIndex() *Index { return &Index{step: firstStep, marks: []Mark{First()}, next: First()} }

// Extend reads what was added to the log. It returns the error of read.
func (x *Index) Extend(read Reader) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	lines := NewLines(x.next)
	for chunk, err := range read(x.next.Offset) {
		if err != nil {
			return err
		}
		lines.Add(chunk.Offset, chunk.Data, func(Line) bool {
			x.add(lines.Next())
			return true
		})
	}
	return nil
}

func (x *Index) add(next Mark) {
	x.next = next
	if (next.Line-1)%x.step != 0 {
		return
	}
	x.marks = append(x.marks, next)
	if len(x.marks) <= maxMarks {
		return
	}
	kept := x.marks[:0]
	for i := 0; i < len(x.marks); i += 2 {
		kept = append(kept, x.marks[i])
	}
	x.marks, x.step = kept, 2*x.step
}

// Find returns the last mark that is not after a line.
func (x *Index) Find(line int) Mark {
	x.mu.Lock()
	defer x.mu.Unlock()
	if line >= x.next.Line {
		return x.next
	}
	at := sort.Search(len(x.marks), func(i int) bool { return x.marks[i].Line > line })
	return x.marks[max(0, at-1)]
}

// Next returns the beginning of the first line that has not ended.
func (x *Index) Next() Mark {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.next
}

// Window returns up to count lines of a log from a line on, rendered, and whether the last
// one has not ended. It returns fewer lines, at least one, of a log whose lines have more
// than 1 MiB together. It reads no more than it needs.
func (x *Index) Window(read Reader, from, count int) (shown []Shown, partial bool, err error) {
	mark := x.Find(max(1, from))
	lines, size := NewLines(mark), 0
	take := func(line Line) bool {
		if line.Number >= from {
			shown = append(shown, Show(line))
			size += len(line.Text)
		}
		return len(shown) < count && size < maxWindow
	}
	for chunk, err := range read(mark.Offset) {
		if err != nil {
			return nil, false, err
		}
		if !lines.Add(chunk.Offset, chunk.Data, take) {
			return shown, false, nil
		}
	}
	if rest, ok := lines.Rest(); ok && rest.Number >= from {
		return append(shown, Show(rest)), true, nil
	}
	return shown, false, nil
}

// Tail returns the last lines of a log, up to count of those from a line on, as Window does:
// fewer if they have more than 1 MiB together.
func (x *Index) Tail(read Reader, from, count int) (shown []Shown, partial bool, err error) {
	mark := x.Find(max(1, from))
	lines := NewLines(mark)
	var last []Line
	size := 0
	keep := func(line Line) {
		if line.Number < from {
			return
		}
		line.Text = bytes.Clone(line.Text)
		last, size = append(last, line), size+len(line.Text)
		for len(last) > count || size > maxWindow && len(last) > 1 {
			size -= len(last[0].Text)
			last = last[1:]
		}
	}
	for chunk, err := range read(mark.Offset) {
		if err != nil {
			return nil, false, err
		}
		lines.Add(chunk.Offset, chunk.Data, func(line Line) bool {
			keep(line)
			return true
		})
	}
	rest, partial := lines.Rest()
	if partial {
		keep(rest)
	}
	for _, line := range last {
		shown = append(shown, Show(line))
	}
	return shown, partial && len(shown) > 0, nil
}
