package logview

import (
	"iter"
	"slices"
	"sort"
	"sync"
)

// maxMarks bounds the marks of a log; beyond it every second one is dropped.
const maxMarks = 4096

// firstStep is the number of lines between two marks of a short log, and firstStepSize of
// bytes, whichever comes first.
const firstStep, firstStepSize = 256, 1 << 20

// longSize is the size of a long line, in bytes.
const longSize = 1 << 20

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
	mu sync.Mutex
	// step and stepSize are how many lines, or how many bytes, are between two marks.
	step     int
	stepSize uint64
	marks    []Mark // the oldest first
	long     []longLine
	lines    *Lines // as far as the log was read
}

// longLine is a line that has ended, and is so long that it is not read again.
type longLine struct {
	Mark

	textAt uint64 // where what is shown of it begins
	next   Mark
}

// NewIndex returns the index of an empty log.
func NewIndex() *Index {
	return &Index{step: firstStep, stepSize: firstStepSize, marks: []Mark{First()}, lines: NewLines(First())}
}

// Extend reads what was added to the log since the last call. It returns the error of read.
func (x *Index) Extend(read Reader) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	for chunk, err := range read(x.lines.reach) {
		if err != nil {
			return err
		}
		x.lines.Add(chunk.Offset, chunk.Data, func(line Line) bool {
			x.add(line, x.lines.Next())
			return true
		})
	}
	return nil
}

// add takes a line that has ended.
func (x *Index) add(line Line, next Mark) {
	if next.Offset-line.Offset >= longSize && len(x.long) < maxMarks {
		x.long = append(x.long, longLine{Mark{line.Number, line.Offset, line.Style}, x.lines.textAt, next})
	}
	last := x.marks[len(x.marks)-1]
	if next.Line-last.Line < x.step && next.Offset-last.Offset < x.stepSize {
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
	x.marks, x.step, x.stepSize = kept, 2*x.step, 2*x.stepSize
}

// Next returns the beginning of the first line that has not ended.
func (x *Index) Next() Mark {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.lines.Next()
}

// Lines returns Lines that go on at or before the beginning of a line or, if it has not
// ended, where the log was read to.
func (x *Index) Lines(line int) *Lines {
	x.mu.Lock()
	defer x.mu.Unlock()
	if line >= x.lines.next.Number {
		return x.lines.Clone()
	}
	at := sort.Search(len(x.marks), func(i int) bool { return x.marks[i].Line > line })
	return NewLines(x.marks[max(0, at-1)])
}

// longAt returns the line of a number if it is a long one, and reports whether it is.
func (x *Index) longAt(number int) (longLine, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	at, found := slices.BinarySearchFunc(x.long, number, func(l longLine, n int) int { return l.Line - n })
	if !found {
		return longLine{}, false
	}
	return x.long[at], true
}

// longLast returns Lines that go on where the log was read to, if that is in the line of a
// number and the line is a long one, else nil.
func (x *Index) longLast(number int) *Lines {
	x.mu.Lock()
	defer x.mu.Unlock()
	if number != x.lines.next.Number || x.lines.reach-x.lines.next.Offset < longSize {
		return nil
	}
	return x.lines.Clone()
}
