package replay

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Replay runs scripts and recorded logs through a table, and compares what was
// recorded with what the table answers. The zero value is ready, on the default
// table. It must be used by one goroutine at a time.
type Replay struct {
	// Table answers. Nil means fsm.Default.
	Table *fsm.Table
	// Checked is how many records, or steps of a script, the table answered as
	// they were recorded.
	Checked int
	// OnFaith is how many records could not be checked, since what the worker
	// knew before them is not in the log: the first of each worker in a log
	// that does not begin with its start, and after a gap.
	OnFaith int
	// Dropped is how many records the log itself says are missing.
	Dropped uint64
	// Cut tells that a log ended in the middle of a line, as it does when its
	// writer was killed.
	Cut bool
	// Header is that of the log last read; nil for scripts and before.
	Header *fsm.LogHeader
	// Records are what was read, in its order, up to a divergence.
	Records []fsm.Record

	workers map[string]*known
}

// known is a worker in the middle of a log.
type known struct {
	state fsm.State
	facts fsm.Facts
}

// DivergenceError is the first place where a table answers otherwise than it was
// recorded. It is an error.
type DivergenceError struct {
	// File and Line, from 1, say where.
	File string
	Line int
	// Worker is whose event it was; empty in a script.
	Worker string
	// Event is what happened, on one line.
	Event string
	// Recorded and Answered are what was recorded and what the table says, in
	// the words of Transition, with the facts where those differ.
	Recorded, Answered string
	// OtherTable is the hash of the table by which the log was written, where it
	// is not that of the table that answered.
	OtherTable string
}

// Error says on one line where it is and what the event was.
func (d *DivergenceError) Error() string {
	s := fmt.Sprintf("%s:%d: the table answers otherwise than recorded on %s", d.File, d.Line, d.Event)
	if d.Worker != "" {
		s += " of worker " + d.Worker
	}
	if d.OtherTable != "" {
		s += fmt.Sprintf(" (the log was written by another version of the table, %s)", d.OtherTable)
	}
	return s
}

// Detail says, on several lines, what was recorded and what the table says.
func (d *DivergenceError) Detail() string {
	return "recorded:\n" + indent(d.Recorded) + "the table says:\n" + indent(d.Answered)
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + line)
	}
	return b.String()
}

// Read runs one file: a log if it begins with a brace, a script otherwise. The
// name is for messages. Several files of one log are read oldest first. The
// error is a *DivergenceError where the table answers otherwise than recorded, and
// else says what is wrong with the file, and in which line.
func (p *Replay) Read(name string, r io.Reader) error {
	text := bufio.NewReader(r)
	for {
		c, _, err := text.ReadRune()
		switch {
		case errors.Is(err, io.EOF):
			return fmt.Errorf("%s: the file is empty", name)
		case err != nil:
			return fmt.Errorf("%s: %w", name, err)
		case unicode.IsSpace(c):
			continue
		}
		if err := text.UnreadRune(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		if c == '{' {
			return p.log(name, text)
		}
		return p.script(name, text)
	}
}

// OtherTable returns the hash of the table by which the last log was written, if
// that is not the table that answers here, and "" otherwise.
func (p *Replay) OtherTable() string {
	if p.Header == nil || p.Header.Table == p.table().Hash() {
		return ""
	}
	return p.Header.Table
}

func (p *Replay) table() *fsm.Table {
	if p.Table == nil {
		return fsm.Default()
	}
	return p.Table
}

func (p *Replay) keep(r fsm.Record) { p.Records = append(p.Records, r) }

// log reads a recorded log.
func (p *Replay) log(name string, r io.Reader) error {
	if p.workers == nil {
		p.workers = map[string]*known{}
	}
	lines, n := newScanner(r), 0
	lines.Split(keepEnds)
	for lines.Scan() {
		n++
		text := lines.Bytes()
		if len(bytes.TrimSpace(text)) == 0 {
			continue
		}
		e, err := fsm.ParseLogLine(text)
		switch {
		case err != nil && !bytes.HasSuffix(text, []byte("\n")):
			p.Cut = true
			return nil
		case err != nil:
			return fmt.Errorf("%s: line %d: %w", name, n, err)
		case e.Header != nil && e.Header.Format != fsm.LogFormat:
			return fmt.Errorf("%s: line %d: the log has form %d, and this program reads form %d", name, n, e.Header.Format, fsm.LogFormat)
		case e.Header != nil:
			p.Header = e.Header
			continue
		case e.Gap != nil:
			p.Dropped += e.Gap.Dropped
			clear(p.workers)
			continue
		}
		if d := p.check(&e); d != nil {
			d.File, d.Line, d.OtherTable = name, n, p.OtherTable()
			return d
		}
		p.keep(*e.Record)
	}
	if err := lineError(lines, n+1); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// keepEnds splits lines and leaves their ends on, so that one that was cut off
// can be told.
func keepEnds(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i+1], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

// check compares a record with the table's answer, and lets the worker go on
// from what was recorded.
func (p *Replay) check(e *fsm.LogLine) *DivergenceError {
	r := e.Record
	w := p.workers[r.Worker]
	if w == nil && r.Event.Kind == fsm.Started {
		w = &known{facts: fsm.Facts{Mode: r.Facts.Mode, RetireAfterJob: r.Facts.RetireAfterJob}}
		p.workers[r.Worker] = w
	}
	if w == nil {
		if e.Whole { // else it is not known what it has seen: wait for a record that says it
			p.workers[r.Worker] = &known{r.To, r.Facts}
		}
		p.OnFaith++
		return nil
	}
	said := fsm.Record{Event: r.Event}
	to, after, effects, d := p.table().Advance(w.state, &w.facts, r.Event)
	said.SetAnswer(w.state, to, &d, effects, &after)
	if recorded, answered := tell(r), tell(&said); !r.SameAnswer(&said, e.Whole) {
		if recorded == answered {
			recorded += tellFacts(&r.Facts)
			answered += tellFacts(&said.Facts)
		}
		return &DivergenceError{Worker: r.Worker, Event: r.Event.String(), Recorded: recorded, Answered: answered}
	}
	w.state, w.facts = to, after
	p.Checked++
	return nil
}

// tellFacts writes all facts, with those that Facts leaves out.
func tellFacts(f *fsm.Facts) string {
	return fmt.Sprintf("  facts: %s connection=%d ping=%d seen=%d\n", Facts(f), f.Connection, f.Ping, f.Seen.Len())
}
