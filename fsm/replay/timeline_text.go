package replay

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/switchyard-ci/switchyard/fsm"
)

const (
	textWidth = 100
	// textIndent is where the last column of a table begins.
	textIndent = 47
	// mostNotes bounds what is said of one episode, and longestNote each of it.
	mostNotes   = 12
	longestNote = 160
	clockFormat = "2006-01-02 15:04:05"
)

// WriteText writes the timeline for a terminal of 100 columns: for each worker
// a summary, and its episodes in the order of time. The rounds of the poller are
// one episode, as long as they bring no job.
func (t *Timeline) WriteText(w io.Writer) error {
	var page bytes.Buffer
	if len(t.Workers) == 0 {
		page.WriteString("The log holds no records.\n")
	} else {
		fmt.Fprintf(&page, "From %s to %s UTC (%s), %s\n", t.Begin.Format(clockFormat), t.End.Format(clockFormat),
			short(t.End.Sub(t.Begin)), count(len(t.Workers), "worker", 0, ""))
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
	wrap(page, "", "  ", fmt.Sprintf("%s: %s, %s", printable(w.Worker), short(w.Summary.Total), w.end()))
	if states := w.Summary.states(); states != "" {
		wrap(page, "  ", "  ", states)
	}
	wrap(page, "  ", "  ", w.Summary.counts())
	fmt.Fprintf(page, "  %11s %9s  %-20s  %s\n", "at", "for", "state", "what happened")
	for _, e := range w.episodes() {
		length := short(e.to.Sub(e.from))
		if e.last && e.name == fsm.Stopped.String() {
			length = "" // it has no end
		}
		first := fmt.Sprintf("  %11s %9s  %-20s  ", offset(e.from.Sub(t.Begin)), length, e.name)
		wrap(page, first, strings.Repeat(" ", textIndent), strings.Join(folded(e.notes), "; "))
	}
}

// end says how the worker ended.
func (w *WorkerTimeline) end() string {
	if w.Left == nil {
		return "had not left"
	}
	return "left: " + w.Left.Reason.String()
}

// episode is a row of the table.
type episode struct {
	name     string
	from, to time.Time
	notes    []string
	polling  bool
	last     bool
}

// episodes are the spans of state, with the rounds of the poller put together.
func (w *WorkerTimeline) episodes() []episode {
	var rows []episode
	var passed []string // notes of states that did not last
	for i := range w.States {
		s := &w.States[i]
		notes := slices.Clip(s.notes)
		if s.Duration() == 0 && i+1 < len(w.States) {
			passed = append(passed, notes...) // on the way to the next one
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

// folded says once what happened often.
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
		if i == mostNotes {
			texts = append(texts, fmt.Sprintf("and %d more", len(different)-i))
			break
		}
		text := cut(printable(n), longestNote)
		if times[n] > 1 {
			text += fmt.Sprintf(" ×%d", times[n])
		}
		texts = append(texts, text)
	}
	return texts
}

// offset writes the time since the begin of the log.
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
				room-- // for the blank
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
