package replay

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// The form of a timeline in JSON. Times are in RFC 3339, durations are numbers
// of seconds.
type (
	timelineJSON struct {
		Begin   *time.Time   `json:"begin"` // null without records
		End     *time.Time   `json:"end"`
		Workers []workerJSON `json:"workers"`
	}
	workerJSON struct {
		Worker  string      `json:"worker"`
		Begin   time.Time   `json:"begin"`
		End     time.Time   `json:"end"`
		Left    *leftJSON   `json:"left"`
		Summary summaryJSON `json:"summary"`
		States  []stateJSON `json:"states"`
		Jobs    []jobJSON   `json:"jobs"`
		Pings   []pingJSON  `json:"pings"`
		Stream  []markJSON  `json:"stream"`
		Outages []spanJSON  `json:"outages"`
		Pauses  []spanJSON  `json:"pauses"`
	}
	leftJSON struct {
		Time   time.Time       `json:"time"`
		Reason fsm.LeaveReason `json:"reason"`
		Failed bool            `json:"failed"`
	}
	summaryJSON struct {
		Seconds              float64         `json:"seconds"`
		States               []stateTimeJSON `json:"states"`
		Jobs                 int             `json:"jobs"`
		RejectedJobs         int             `json:"rejected_jobs"`
		Pings                int             `json:"pings"`
		FailedPings          int             `json:"failed_pings"`
		Losses               int             `json:"losses"`
		FailedAttempts       int             `json:"failed_attempts"`
		Outages              int             `json:"outages"`
		LongestOutage        float64         `json:"longest_outage_seconds"`
		WithoutStream        float64         `json:"without_stream_seconds"`
		LongestWithoutStream float64         `json:"longest_without_stream_seconds"`
		Paused               float64         `json:"paused_seconds"`
	}
	stateTimeJSON struct {
		State   fsm.State `json:"state"`
		Seconds float64   `json:"seconds"`
		Share   float64   `json:"share"`
	}
	spanJSON struct {
		From    time.Time `json:"from"`
		To      time.Time `json:"to"`
		Seconds float64   `json:"seconds"`
	}
	stateJSON struct {
		spanJSON

		State fsm.State `json:"state"`
	}
	jobJSON struct {
		spanJSON

		Job     fsm.JobID `json:"job"`
		Outcome Outcome   `json:"outcome"`
		Cause   string    `json:"cause,omitempty"`
		Before  bool      `json:"began_before,omitempty"`
	}
	pingJSON struct {
		spanJSON

		Epoch  fsm.Epoch `json:"epoch"`
		Answer Answer    `json:"answer"`
		Cause  string    `json:"cause,omitempty"`
	}
	markJSON struct {
		Time  time.Time     `json:"time"`
		Kind  fsm.EventKind `json:"kind"`
		Cause string        `json:"cause,omitempty"`
		Again bool          `json:"again,omitempty"`
	}
)

// WriteJSON writes the timeline for programs: all of it, in times of RFC 3339
// and durations in seconds.
func (t *Timeline) WriteJSON(w io.Writer) error {
	wire := timelineJSON{Workers: []workerJSON{}}
	if len(t.Workers) > 0 {
		wire.Begin, wire.End = &t.Begin, &t.End
	}
	for i := range t.Workers {
		wire.Workers = append(wire.Workers, t.Workers[i].wire())
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(&wire); err != nil {
		return fmt.Errorf("writing the timeline: %w", err)
	}
	return nil
}

func (w *WorkerTimeline) wire() workerJSON {
	wire := workerJSON{
		Worker: w.Worker, Begin: w.Begin, End: w.End, Summary: w.Summary.wire(),
		Outages: mapped(w.Outages, wireSpan), Pauses: mapped(w.Pauses, wireSpan),
		States: mapped(w.States, func(s StateSpan) stateJSON { return stateJSON{wireSpan(s.Span), s.State} }),
		Jobs:   mapped(w.Jobs, func(j JobSpan) jobJSON { return jobJSON{wireSpan(j.Span), j.Job, j.Outcome, j.Cause, j.Before} }),
		Pings:  mapped(w.Pings, func(p PingSpan) pingJSON { return pingJSON{wireSpan(p.Span), p.Epoch, p.Answer, p.Cause} }),
		Stream: mapped(w.Marks, func(m StreamMark) markJSON { return markJSON(m) }),
	}
	if l := w.Left; l != nil {
		wire.Left = &leftJSON{l.Time, l.Reason, l.Reason.Failed()}
	}
	return wire
}

func (s *Summary) wire() summaryJSON {
	wire := summaryJSON{
		Seconds: s.Total.Seconds(), States: []stateTimeJSON{},
		Jobs: s.Jobs, RejectedJobs: s.RejectedJobs, Pings: s.Pings, FailedPings: s.FailedPings,
		Losses: s.Losses, FailedAttempts: s.Attempts, Outages: s.Outages,
		LongestOutage: s.LongestOutage.Seconds(), WithoutStream: s.WithoutStream.Seconds(),
		LongestWithoutStream: s.LongestWithoutStream.Seconds(), Paused: s.Paused.Seconds(),
	}
	for _, state := range live {
		if d, ok := s.In[state]; ok {
			wire.States = append(wire.States, stateTimeJSON{state, d.Seconds(), s.Share(state)})
		}
	}
	return wire
}

func wireSpan(s Span) spanJSON { return spanJSON{s.From, s.To, s.Duration().Seconds()} }

// mapped is never nil, so that it is a list in JSON.
func mapped[A, B any](list []A, f func(A) B) []B {
	result := make([]B, 0, len(list))
	for _, a := range list {
		result = append(result, f(a))
	}
	return result
}
