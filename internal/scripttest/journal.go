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

// Journal is the output of a process, line by line, in the order in which it was
// read. Its methods may be called concurrently.
type Journal struct {
	mu      sync.Mutex
	written []string
	ended   bool
	more    chan struct{} // closed, and made again, at each change
}

func newJournal() *Journal { return &Journal{more: make(chan struct{})} }

// read adds the lines of r until its end, and returns all that r held.
func (j *Journal) read(r io.Reader) []byte {
	var all bytes.Buffer
	scanner := bufio.NewScanner(io.TeeReader(r, &all))
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		j.change(func() { j.written = append(j.written, scanner.Text()) })
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

// Await waits for a line from the given one on that matches the pattern. It
// returns the match with its groups and the number of the next line, or false if
// there is none when the process or ctx has ended.
func (j *Journal) Await(ctx context.Context, from int, pattern *regexp.Regexp) (groups []string, next int, ok bool) {
	for {
		lines, more := j.Lines(from)
		for _, line := range lines {
			from++
			if groups := pattern.FindStringSubmatch(line); groups != nil {
				return groups, from, true
			}
		}
		if more == nil {
			return nil, from, false
		}
		select {
		case <-more:
		case <-ctx.Done():
			return nil, from, false
		}
	}
}
