package replay

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// maxLine bounds a line, in bytes: a record with every job seen and a long cause
// is below 64 KiB.
const maxLine = 1 << 20

// stepTime is the time between two steps of a script in its timeline; a script
// itself has no times.
const stepTime = time.Second

// eachLine calls use for every line, with its number from 1. The newline is part
// of a line; only a last line that was cut off has none.
func eachLine(r io.Reader, use func(n int, line []byte) error) error {
	lines := bufio.NewReaderSize(r, maxLine)
	for n := 1; ; n++ {
		line, err := lines.ReadSlice('\n')
		end := errors.Is(err, io.EOF)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("line %d: it is longer than %d bytes", n, maxLine)
		case err != nil && !end:
			return fmt.Errorf("line %d: %w", n, err)
		}
		if len(line) > 0 {
			if err := use(n, line); err != nil {
				return err
			}
		}
		if end {
			return nil
		}
	}
}

// step is a command of a script with the expected answer.
type step struct {
	line    int // of the command; the first line is 1
	command string
	want    string
}

// parseScript reads a script in the form of testdata/scenarios: comments after #,
// and commands, each followed by a line of four dashes and the expected answer, up
// to a blank line.
func parseScript(r io.Reader) ([]step, error) {
	var steps []step
	var s *step
	answering := false
	err := eachLine(r, func(n int, line []byte) error {
		text := strings.TrimRight(string(line), " \t\r\n")
		switch {
		case text == "":
			s, answering = nil, false
		case answering:
			s.want += text + "\n"
		case text == "----" && s != nil:
			answering = true
		case strings.HasPrefix(text, "#"):
		case s != nil:
			return fmt.Errorf("line %d: want ---- after the command of line %d, not %q", n, s.line, text)
		default:
			steps = append(steps, step{line: n, command: text})
			s = &steps[len(steps)-1]
		}
		return nil
	})
	return steps, err
}

// script runs a script, up to the first answer that differs.
func (p *Replay) script(name string, r io.Reader) error {
	steps, err := parseScript(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	session := Session{Table: p.Table}
	for _, s := range steps {
		answer, err := session.Do(s.command)
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", name, s.line, err)
		}
		if answer != s.want {
			return &DivergenceError{File: name, Line: s.line, Event: s.command, Recorded: s.want, Answered: answer}
		}
		if last, ok := session.Last(); ok && s.command != commandFacts {
			last.Worker = name
			last.Time = time.Unix(0, 0).UTC().Add(time.Duration(p.Checked) * stepTime)
			p.Records = append(p.Records, last)
			p.Checked++
		}
	}
	return nil
}
