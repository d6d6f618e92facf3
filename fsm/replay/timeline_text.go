package replay

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/switchyard-ci/switchyard/fsm"
)

const (
	textWidth = 110
	// textIndent is where the last column of a table begins.
	textIndent = 59
	// maxNotes bounds the notes of one episode, and maxNote the length of each.
	maxNotes    = 12
	maxNote     = 160
	clockFormat = "2006-01-02 15:04:05"
)

// WriteText writes the timeline for a terminal of 110 columns: for each worker
// a summary, and its episodes in the order of time. Consecutive pings are one
// episode, as long as they bring no job.
func (t *Timeline) WriteText(w io.Writer) error {
	var page bytes.Buffer
	if len(t.Workers) == 0 {
		page.WriteString("The log holds no records.\n")
	} else {
		fmt.Fprintf(&page, "From %s to %s UTC (%s), %s\n", t.Begin.Format(clockFormat), t.End.Format(clockFormat),
			short(t.length()), count(len(t.Workers), "worker", 0, ""))
	}
	for i := range t.Workers {
		t.workerText(&page, &t.Workers[i])
	}
	if _, err := w.Write(page.Bytes()); err != nil {
		return fmt.Errorf("writing the timeline: %w", err)
	}
	return nil
}

func (t *Timeline) workerText(page *bytes.Buffer, w *WorkerTimeline) {
	fmt.Fprintln(page)
	wrap(page, "", "  ", fmt.Sprintf("%s: %s, %s", printable(w.Title()), short(time.Duration(w.Summary.Total)), w.leaving()))
	if states := w.Summary.states(); states != "" {
		wrap(page, "  ", "  ", states)
	}
	wrap(page, "  ", "  ", w.Summary.counts())
	fmt.Fprintf(page, "  %10s %11s %9s  %-20s  %s\n", "UTC", "after", "for", "state", "what happened")
	for _, e := range w.episodes() {
		length := short(e.to.Sub(e.from))
		if e.last && e.name == fsm.Stopped.String() {
			length = "" // it has no end
		}
		first := fmt.Sprintf("  %10s %11s %9s  %-20s  ", clock(e.from), offset(e.from.Sub(*t.Begin)), length, e.name)
		wrap(page, first, strings.Repeat(" ", textIndent), strings.Join(folded(e.notes), "; "))
	}
}

// episode is a row of the table.
type episode struct {
	name     string
	from, to time.Time
	notes    []string
	polling  bool
	last     bool
}

// episodes returns the spans of state, with consecutive pings merged.
func (w *WorkerTimeline) episodes() []episode {
	var rows []episode
	var passed []string // notes of states that lasted no time
	for i := range w.States {
		s := &w.States[i]
		notes := slices.Clip(s.notes)
		if s.Length == 0 && i+1 < len(w.States) {
			passed = append(passed, notes...) // they belong to the next one
			continue
		}
		notes, passed = append(passed, notes...), nil
		polling := (s.State == fsm.FallingBack || s.State == fsm.PollingBusy) && !s.job
		if n := len(rows); polling && n > 0 && rows[n-1].polling {
			r := &rows[n-1]
			r.to, r.name = s.To, "FallingBack, pinging"
			r.notes = append(r.notes, notes...)
			continue
		}
		rows = append(rows, episode{name: s.State.String(), from: s.From, to: s.To, notes: notes, polling: polling})
	}
	if n := len(rows); n > 0 {
		rows[n-1].last = true
	}
	return rows
}

// folded returns each different note once, with the number of its occurrences.
func folded(notes []string) []string {
	times := map[string]int{}
	var different []string
	for _, n := range notes {
		times[n]++
		if times[n] == 1 {
			different = append(different, n)
		}
	}
	var texts []string
	for i, n := range different {
		if i == maxNotes {
			texts = append(texts, fmt.Sprintf("and %d more", len(different)-i))
			break
		}
		text := cut(printable(n), maxNote)
		if times[n] > 1 {
			text += fmt.Sprintf(" ×%d", times[n])
		}
		texts = append(texts, text)
	}
	return texts
}

// offset returns the time since the beginning of the log.
func offset(d time.Duration) string {
	d = d.Round(100 * time.Millisecond)
	return fmt.Sprintf("+%d:%02d:%02d.%d", d/time.Hour, d/time.Minute%60, d/time.Second%60, d/(100*time.Millisecond)%10)
}

// wrap writes a paragraph of at most textWidth columns. A word that is too long
// for a line is broken.
func wrap(page *bytes.Buffer, first, rest, text string) {
	line := first
	empty := true
	flush := func() {
		page.WriteString(strings.TrimRight(line, " ") + "\n")
		line, empty = rest, true
	}
	for word := range strings.FieldsSeq(text) {
		for {
			room := textWidth - utf8.RuneCountInString(line)
			if !empty {
				room-- // for the space
			}
			if utf8.RuneCountInString(word) <= room {
				break
			}
			if !empty {
				flush()
				continue
			}
			runes := []rune(word)
			line += string(runes[:room])
			word = string(runes[room:])
			flush()
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	if !empty || line == first {
		flush()
	}
}

// count returns a number of things in words, and how many of them are bad.
func count(n int, what string, bad int, how string) string {
	text := fmt.Sprintf("%d %s", n, what)
	switch {
	case n == 1:
	case strings.HasSuffix(what, "s"):
		text += "es"
	default:
		text += "s"
	}
	if bad > 0 {
		text += fmt.Sprintf(" (%d %s)", bad, how)
	}
	return text
}

func percent(share float64) string {
	if share > 0 && share < 0.01 {
		return "<1%"
	}
	return fmt.Sprintf("%.0f%%", 100*share)
}

// short returns a duration in few digits.
func short(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	text := d.Round(time.Second).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// printable replaces characters that could control a terminal: IDs and causes
// come from outside.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return ' '
		case !unicode.IsPrint(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// cut returns a text shortened to at most n characters.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:max(n-1, 0)]) + "…"
}
