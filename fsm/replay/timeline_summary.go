package replay

import (
	"fmt"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Summary is what a worker did, in numbers.
type Summary struct {
	// Total is the time in the log until the worker left.
	Total Seconds `json:"seconds"`
	// States are the times in each state that the worker was in, in the order of
	// the table, without the pseudo-states.
	States []StateTime `json:"states"`
	// Jobs and Pings count all of them, also those that were rejected or failed.
	Jobs         int `json:"jobs"`
	RejectedJobs int `json:"rejected_jobs"`
	Pings        int `json:"pings"`
	FailedPings  int `json:"failed_pings"`
	// Losses counts the losses of the stream, and Attempts the failed attempts to
	// reopen it.
	Losses   int `json:"losses"`
	Attempts int `json:"failed_attempts"`
	// Outages counts the times in which the stream was down.
	Outages       int     `json:"outages"`
	LongestOutage Seconds `json:"longest_outage_seconds"`
	// WithoutStream is the time in which the poller was in control, and
	// LongestWithoutStream the longest such time without interruption.
	WithoutStream        Seconds `json:"without_stream_seconds"`
	LongestWithoutStream Seconds `json:"longest_without_stream_seconds"`
	// Paused is the time in which the worker was paused.
	Paused Seconds `json:"paused_seconds"`
}

// StateTime is the time in one state; Share is its part of the total, 0 to 1.
type StateTime struct {
	State fsm.State `json:"state"`
	Time  Seconds   `json:"seconds"`
	Share float64   `json:"share"`
}

func (s *Summary) share(d Seconds) float64 {
	if s.Total <= 0 {
		return 0
	}
	return float64(d) / float64(s.Total)
}

func summarize(w *WorkerTimeline) Summary {
	s := Summary{States: []StateTime{}, Jobs: len(w.Jobs), Outages: len(w.Outages)}
	in := map[fsm.State]Seconds{}
	away := Seconds(0)
	for i := range w.States {
		span := &w.States[i]
		owner := span.State.Owner()
		if owner == fsm.OwnerPoller {
			away += span.Length
			s.WithoutStream += span.Length
			s.LongestWithoutStream = max(s.LongestWithoutStream, away)
		} else {
			away = 0
		}
		if owner != fsm.OwnerNobody {
			in[span.State] += span.Length
			s.Total += span.Length
		}
	}
	for _, state := range fsm.States() {
		if d, ok := in[state]; ok {
			s.States = append(s.States, StateTime{state, d, s.share(d)})
		}
	}
	for i := range w.Jobs {
		if w.Jobs[i].Outcome == Rejected {
			s.RejectedJobs++
		}
	}
	for i := range w.Pings {
		s.Pings += w.Pings[i].pings()
		if w.Pings[i].failed() {
			s.FailedPings += w.Pings[i].pings()
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
		s.LongestOutage = max(s.LongestOutage, o.Length)
	}
	for _, p := range w.Pauses {
		s.Paused += p.Length
	}
	return s
}

// states returns the time in each state, on one line.
func (s *Summary) states() string {
	parts := make([]string, len(s.States))
	for i, t := range s.States {
		parts[i] = fmt.Sprintf("%v %s (%s)", t.State, short(time.Duration(t.Time)), percent(t.Share))
	}
	return strings.Join(parts, ", ")
}

// counts returns the other numbers, on one line.
func (s *Summary) counts() string {
	parts := []string{count(s.Jobs, "job", s.RejectedJobs, "rejected"), count(s.Pings, "ping", s.FailedPings, "failed")}
	if s.Losses+s.Attempts+s.Outages == 0 {
		parts = append(parts, "no loss of the stream")
	} else {
		parts = append(parts, count(s.Losses, "stream loss", s.Attempts, "× failed to reopen"),
			"longest outage "+short(time.Duration(s.LongestOutage)))
	}
	if s.WithoutStream > 0 {
		parts = append(parts, fmt.Sprintf("poller in control %s (%s, longest %s)",
			short(time.Duration(s.WithoutStream)), percent(s.share(s.WithoutStream)), short(time.Duration(s.LongestWithoutStream))))
	}
	if s.Paused > 0 {
		parts = append(parts, "paused "+short(time.Duration(s.Paused)))
	}
	return strings.Join(parts, ", ")
}

// leaving returns how the worker ended, in words.
func (w *WorkerTimeline) leaving() string {
	if w.Killed {
		return "killed: its process ended without it leaving"
	}
	if w.Left == nil {
		return "had not left"
	}
	return "left: " + w.Left.Reason.String()
}
