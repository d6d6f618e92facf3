package replay

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Summary is what a worker did, in numbers.
type Summary struct {
	// Total is the time in the log, without that after the worker left.
	Total time.Duration
	// In is the time in each state.
	In map[fsm.State]time.Duration
	// Jobs and Pings count all of them; some were rejected, or have failed.
	Jobs, RejectedJobs, Pings, FailedPings int
	// Losses counts the losses of the stream, and Attempts the failed attempts
	// to open it while it was down.
	Losses, Attempts int
	// Outages counts the times in which the stream was down; LongestOutage is
	// the longest of them.
	Outages       int
	LongestOutage time.Duration
	// WithoutStream is the time in which the poller was in control, and
	// LongestWithoutStream the longest such time without a break.
	WithoutStream, LongestWithoutStream time.Duration
	// Paused is the time in which the worker took no work.
	Paused time.Duration
}

// live are the states in which a worker works, in the order of the table.
var live = []fsm.State{fsm.StreamHealthy, fsm.Running, fsm.FallingBack, fsm.PollingBusy, fsm.Reclaiming}

// Share returns which part of the whole time was spent in the state, from 0 to 1.
func (s *Summary) Share(state fsm.State) float64 { return s.share(s.In[state]) }

func (s *Summary) share(d time.Duration) float64 {
	if s.Total <= 0 {
		return 0
	}
	return float64(d) / float64(s.Total)
}

func (w *WorkerTimeline) summarize() {
	s := Summary{In: map[fsm.State]time.Duration{}, Jobs: len(w.Jobs), Pings: len(w.Pings), Outages: len(w.Outages)}
	away := time.Duration(0)
	for i := range w.States {
		span := &w.States[i]
		d := span.Duration()
		switch span.State {
		case fsm.Initial, fsm.Stopped:
			away = 0
			continue
		case fsm.FallingBack, fsm.PollingBusy, fsm.Reclaiming:
			away += d
			s.WithoutStream += d
			s.LongestWithoutStream = max(s.LongestWithoutStream, away)
		case fsm.StreamHealthy, fsm.Running:
			away = 0
		}
		s.In[span.State] += d
		s.Total += d
	}
	for i := range w.Jobs {
		if w.Jobs[i].Outcome == Rejected {
			s.RejectedJobs++
		}
	}
	for i := range w.Pings {
		if w.Pings[i].Answer.Failed() {
			s.FailedPings++
		}
	}
	for i := range w.Marks {
		switch m := &w.Marks[i]; {
		case m.Loss():
			s.Losses++
		case m.Again:
			s.Attempts++
		}
	}
	for _, o := range w.Outages {
		s.LongestOutage = max(s.LongestOutage, o.Duration())
	}
	for _, p := range w.Pauses {
		s.Paused += p.Duration()
	}
	w.Summary = s
}

// states says the time in each state, on one line.
func (s *Summary) states() string {
	var parts []string
	for _, state := range live {
		if d, ok := s.In[state]; ok {
			parts = append(parts, fmt.Sprintf("%v %s (%s)", state, short(d), percent(s.Share(state))))
		}
	}
	return strings.Join(parts, ", ")
}

// counts says what was done and what went wrong, on one line.
func (s *Summary) counts() string {
	parts := []string{count(s.Jobs, "job", s.RejectedJobs, "rejected"), count(s.Pings, "ping", s.FailedPings, "failed")}
	if s.Losses+s.Attempts+s.Outages == 0 {
		parts = append(parts, "no loss of the stream")
	} else {
		parts = append(parts, count(s.Losses, "stream loss", s.Attempts, "× failed to reopen"),
			"longest outage "+short(s.LongestOutage))
	}
	if s.WithoutStream > 0 {
		parts = append(parts, fmt.Sprintf("poller in control %s (%s, longest %s)",
			short(s.WithoutStream), percent(s.share(s.WithoutStream)), short(s.LongestWithoutStream)))
	}
	if s.Paused > 0 {
		parts = append(parts, "paused "+short(s.Paused))
	}
	return strings.Join(parts, ", ")
}

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

// short writes a duration in no more digits than a reader needs.
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

// printable replaces what would do something to a terminal, or is not allowed
// in XML: ids and causes come from outside.
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

// cut shortens a text to at most n characters.
func cut(s string, n int) string {
	runes := []rune(s)
	if len(runes) <= n {
		return s
	}
	return string(runes[:max(n-1, 0)]) + "…"
}
