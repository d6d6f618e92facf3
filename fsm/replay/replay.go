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

// Replay runs scripts and recorded logs through a table, and checks that each
// answer is the expected or recorded one. The zero value uses the default table.
// It must be used by one goroutine at a time.
type Replay struct {
	// Table is the table to run; nil means fsm.Default.
	Table *fsm.Table
	// Unchecked has logs read as they are, without running them: also one that another version
	// of the table wrote, and the lines that can be read of one that is damaged.
	Unchecked bool
	// Checked is the number of records, or steps of a script, with the same answer
	// of the table.
	Checked int
	// OnFaith is the number of records that could not be checked, because the
	// facts before them are not in the log: the first of each worker in a log that
	// does not begin with its start, and after a gap.
	OnFaith int
	// Dropped is the number of records that are missing by the gaps in the log.
	Dropped uint64
	// Cut: a log ended in the middle of a line, as when its writer was killed.
	Cut bool
	// Header is that of the last log; nil if there was none.
	Header *fsm.LogHeader
	// Folded is the number of events that folded records stand for, which are not checked.
	Folded int
	// Killed are the workers that had not left when their process ended, by ID. It is known of
	// a process that has ended by the header of the next one, or by Ended.
	Killed map[string]Kill
	// Unreadable is the number of lines that were skipped, because Unchecked is set.
	Unreadable int
	// Records are those that were read, in order, up to a divergence.
	Records []fsm.Record

	workers map[string]*known
	last    map[string]*fsm.Record // of each worker of the process that wrote the last line
}

// known is what is known about a worker, in the middle of a log.
type known struct {
	state fsm.State
	facts fsm.Facts
}

// DivergenceError is the first place where the table's answer differs from the
// recorded one.
type DivergenceError struct {
	// File and Line are the place; lines begin at 1.
	File string
	Line int
	// Worker is the worker of the event; empty in a script.
	Worker string
	// Event is the event, on one line.
	Event string
	// Recorded and Answered are the recorded answer and that of the table, in the
	// form of Transition, with the facts if those differ.
	Recorded, Answered string
	// OtherTable is the hash of the table by which the log was written, if it is
	// not the table of the replay.
	OtherTable string
}

// Error returns the place and the event, on one line.
func (d *DivergenceError) Error() string {
	s := fmt.Sprintf("%s:%d: the answer of the table differs from the recorded one on %s", d.File, d.Line, d.Event)
	if d.Worker != "" {
		s += " of worker " + d.Worker
	}
	if d.OtherTable != "" {
		s += fmt.Sprintf(" (the log was written by another version of the table, %s)", d.OtherTable)
	}
	return s
}

// Detail returns both answers, on several lines.
func (d *DivergenceError) Detail() string {
	return "recorded:\n" + indent(d.Recorded) + "answer of the table:\n" + indent(d.Answered)
}

func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString("  " + line)
	}
	return b.String()
}

// Read runs one file: a log if it begins with a brace, a script otherwise. The
// name is used in messages. Files of one log must be read oldest first. It returns
// a *DivergenceError if an answer differs, and another error, with the line, if
// the file cannot be read.
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

// OtherTable returns the hash of the table by which the last log was written, or
// "" if it is the table of the replay.
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

// log runs a recorded log.
func (p *Replay) log(name string, r io.Reader) error {
	if p.workers == nil {
		p.workers, p.last = map[string]*known{}, map[string]*fsm.Record{}
	}
	err := eachLine(r, func(n int, text []byte) error {
		if len(bytes.TrimSpace(text)) == 0 {
			return nil
		}
		e, err := fsm.ParseLogLine(text)
		switch {
		case err != nil && text[len(text)-1] != '\n':
			p.Cut = true
		case err != nil && p.Unchecked:
			p.Unreadable++
		case err != nil:
			return fmt.Errorf("line %d: %w", n, err)
		case e.Header != nil && (e.Header.Format < 1 || e.Header.Format > fsm.LogFormat):
			return fmt.Errorf("line %d: the log has form %d, and this program reads forms 1 to %d", n, e.Header.Format, fsm.LogFormat)
		case e.Header != nil:
			p.began(e.Header)
		case e.Gap != nil:
			p.Dropped += e.Gap.Dropped
			clear(p.workers)
		default:
			if d := p.check(&e); d != nil {
				d.File, d.Line, d.OtherTable = name, n, p.OtherTable()
				return d
			}
			p.keep(e.Record)
		}
		return nil
	})
	if d, diverges := errors.AsType[*DivergenceError](err); diverges {
		return d
	}
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// keep adds a record, with the name of its worker, which only some lines have.
func (p *Replay) keep(r *fsm.Record) {
	if last := p.last[r.Worker]; last != nil && r.Name == "" {
		r.Name = last.Name
	}
	p.last[r.Worker] = r
	delete(p.Killed, r.Worker)
	p.Records = append(p.Records, *r)
}

// began takes the header of a file. The workers of another process than before have ended
// with it.
func (p *Replay) began(h *fsm.LogHeader) {
	if p.Header != nil && p.Header.Process != "" && h.Process != "" && p.Header.Process != h.Process {
		p.Ended(h.Time)
	}
	p.Header = h
}

// check compares a record with the table's answer. The next record of the worker
// is checked with the facts after it.
func (p *Replay) check(e *fsm.LogLine) *DivergenceError {
	r := e.Record
	if p.Unchecked {
		return nil
	}
	if r.Folded > 0 {
		p.workers[r.Worker] = &known{r.To, r.Facts}
		p.Folded += r.Folded
		return nil
	}
	w := p.workers[r.Worker]
	if w == nil && r.Event.Kind == fsm.Started {
		w = &known{facts: fsm.Facts{Mode: r.Facts.Mode, RetireAfterJob: r.Facts.RetireAfterJob}}
		p.workers[r.Worker] = w
	}
	if w == nil {
		if e.Whole { // otherwise the jobs seen are unknown, until a whole record comes
			p.workers[r.Worker] = &known{r.To, r.Facts}
		}
		p.OnFaith++
		return nil
	}
	answer := fsm.Record{Event: r.Event}
	to, after, effects, d := p.table().Advance(w.state, &w.facts, r.Event)
	answer.SetAnswer(w.state, to, &d, effects, &after)
	if recorded, answered := answerText(r), answerText(&answer); !r.SameAnswer(&answer, e.Whole) {
		if recorded == answered {
			recorded += allFacts(&r.Facts)
			answered += allFacts(&answer.Facts)
		}
		return &DivergenceError{Worker: r.Worker, Event: r.Event.String(), Recorded: recorded, Answered: answered}
	}
	w.state, w.facts = to, after
	p.Checked++
	return nil
}

// allFacts returns all facts on one line.
func allFacts(f *fsm.Facts) string {
	return fmt.Sprintf("  facts: %s connection=%d ping=%d seen=%d\n", factsText(f), f.Connection, f.Ping, f.Seen.Len())
}
