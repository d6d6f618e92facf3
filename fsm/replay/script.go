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

// step is a command of a script with the expected answer.
type step struct {
	line    int // of the command; the first line is 1
	command string
	args    []Arg
	want    string
}

// parseScript reads a script in the form of testdata/scenarios: comments after #,
// and commands, each followed by a line of four dashes and the expected answer, up
// to a blank line.
func parseScript(r io.Reader) ([]step, error) {
	var steps []step
	var s *step
	answering := false
	lines, n := newScanner(r), 0
	for lines.Scan() {
		n++
		text := strings.TrimRight(lines.Text(), " \t\r")
		switch {
		case text == "":
			s, answering = nil, false
		case answering:
			s.want += text + "\n"
		case text == "----" && s != nil:
			answering = true
		case strings.HasPrefix(text, "#"):
		case s != nil:
			return nil, fmt.Errorf("line %d: want ---- after the command of line %d, not %q", n, s.line, text)
		default:
			words := strings.Fields(text)
			steps = append(steps, step{line: n, command: words[0]})
			s = &steps[len(steps)-1]
			for _, word := range words[1:] {
				key, value, _ := strings.Cut(word, "=")
				s.args = append(s.args, Arg{key, value})
			}
		}
	}
	return steps, lineError(lines, n+1)
}

func newScanner(r io.Reader) *bufio.Scanner {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxLine)
	return lines
}

// lineError returns the error of a scanner in line n, or nil at the end of a file.
func lineError(lines *bufio.Scanner, n int) error {
	err := lines.Err()
	if errors.Is(err, bufio.ErrTooLong) {
		return fmt.Errorf("line %d: it is longer than %d bytes", n, maxLine)
	}
	if err != nil {
		return fmt.Errorf("line %d: %w", n, err)
	}
	return nil
}

// script runs a script, up to the first answer that differs.
func (p *Replay) script(name string, r io.Reader) error {
	steps, err := parseScript(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	session := Session{Table: p.Table}
	for i := range steps {
		s := &steps[i]
		answer, err := session.Do(s.command, s.args)
		if err != nil {
			return fmt.Errorf("%s: line %d: %w", name, s.line, err)
		}
		if answer != s.want {
			return &DivergenceError{
				File: name, Line: s.line, Event: strings.Join(append([]string{s.command}, words(s.args)...), " "),
				Recorded: s.want, Answered: answer,
			}
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

func words(args []Arg) []string {
	words := make([]string, 0, len(args))
	for _, a := range args {
		word := a.Key
		if a.Value != "" {
			word += "=" + a.Value
		}
		words = append(words, word)
	}
	return words
}
