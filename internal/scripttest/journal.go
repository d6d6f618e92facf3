package scripttest

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"regexp"
	"sync"
)

// maxLine is the longest line of a process's output, in bytes.
const maxLine = 1 << 20

// stream is one of the two streams to which a process writes.
type stream int

const (
	stdout stream = iota
	stderr
	streams // how many there are
)

// Position is how far the output of a process was looked at, for each stream. The zero
// value is the beginning.
type Position [streams]int

// Journal is the output of a process, line by line, in the order in which it was
// read. The system promises no order between the streams of a process: a line of one
// that was written before a line of the other may be read after it. Its methods may be
// called concurrently.
type Journal struct {
	mu      sync.Mutex
	written []string
	from    []stream // of each line that was written
	ended   bool
	more    chan struct{} // closed, and made again, at each change
}

func newJournal() *Journal { return &Journal{more: make(chan struct{})} }

// read adds the lines of r, which is a stream of the process, until its end, and returns
// all that r held.
func (j *Journal) read(r io.Reader, from stream) []byte {
	var all bytes.Buffer
	scanner := bufio.NewScanner(io.TeeReader(r, &all))
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		j.change(func() { j.written, j.from = append(j.written, scanner.Text()), append(j.from, from) })
	}
	_, _ = io.Copy(&all, r) // the rest after a line that is too long; the pipe must not fill up
	return all.Bytes()
}

// end marks the journal as complete.
func (j *Journal) end() { j.change(func() { j.ended = true }) }

func (j *Journal) change(by func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	by()
	close(j.more)
	j.more = make(chan struct{})
}

// Lines returns the lines from the given one on, and a channel that is closed when
// there are more; it is nil when the process has ended.
func (j *Journal) Lines(from int) ([]string, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return j.written[from:], nil
	}
	return j.written[from:], j.more
}

// End returns the position after all lines that were read so far.
func (j *Journal) End() Position {
	j.mu.Lock()
	defer j.mu.Unlock()
	var at Position
	for i := range at {
		at[i] = len(j.written)
	}
	return at
}

// Await waits for a line after a position that matches the pattern. It returns the match
// with its groups and the position after that line, which is the old one for the other
// stream, or false if there is no such line when the process or ctx has ended.
func (j *Journal) Await(ctx context.Context, after Position, pattern *regexp.Regexp) (groups []string, next Position, ok bool) {
	for looked := 0; ; {
		lines, more := j.Lines(looked)
		for _, line := range lines {
			from := j.streamOf(looked)
			looked++
			if looked <= after[from] {
				continue
			}
			if groups := pattern.FindStringSubmatch(line); groups != nil {
				after[from] = looked
				return groups, after, true
			}
		}
		if more == nil {
			return nil, after, false
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, after, false
		}
	}
}

// streamOf returns the stream of a line.
func (j *Journal) streamOf(line int) stream {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.from[line]
}
