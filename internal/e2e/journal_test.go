package e2e_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"regexp"
	"sync"
)

// maxLine is room for one line of a process's output.
const maxLine = 1 << 20

// journal is what a process has written, line by line, in the order in which it
// came. Its methods may be called concurrently.
type journal struct {
	mu      sync.Mutex
	written []string
	ended   bool
	more    chan struct{} // closed, and made anew, when there is more to see
}

func newJournal() *journal { return &journal{more: make(chan struct{})} }

// read adds the lines of r until its end, and returns all of it.
func (j *journal) read(r io.Reader) []byte {
	var all bytes.Buffer
	scanner := bufio.NewScanner(io.TeeReader(r, &all))
	scanner.Buffer(nil, maxLine)
	for scanner.Scan() {
		j.change(func() { j.written = append(j.written, scanner.Text()) })
	}
	_, _ = io.Copy(&all, r) // what a line too long has left; the pipe must not fill up
	return all.Bytes()
}

// end says that nothing more will come.
func (j *journal) end() { j.change(func() { j.ended = true }) }

func (j *journal) change(by func()) {
	j.mu.Lock()
	defer j.mu.Unlock()
	by()
	close(j.more)
	j.more = make(chan struct{})
}

// lines are the lines from the given one on, and a channel that is closed when
// there are more; it is nil where there will be none.
func (j *journal) lines(from int) ([]string, <-chan struct{}) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.ended {
		return j.written[from:], nil
	}
	return j.written[from:], j.more
}

// await waits for a line from the given one on that is like the pattern. It
// returns what matched and the number of the line behind it; or false where
// there is none when the process, or ctx, has ended.
func (j *journal) await(ctx context.Context, from int, pattern *regexp.Regexp) (groups []string, next int, ok bool) {
	for {
		lines, more := j.lines(from)
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
