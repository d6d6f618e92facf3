package replay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Session is a machine that is driven by commands, the first of which is start.
// It must be used by one goroutine at a time.
type Session struct {
	// Table is the table to run; nil means fsm.Default.
	Table *fsm.Table

	started bool
	state   fsm.State
	facts   fsm.Facts
	last    fsm.Record
}

const (
	commandStart = "start"
	commandFacts = "facts"
)

// Do runs one command and returns its answer:
//
//	start [mode=auto|stream-only|poll-only|acquire] [after-job] [job=ID]
//	facts
//	EVENT [epoch=N] [job=ID]
//
// where EVENT is the name of an fsm.EventKind, such as StreamLost. The answer to
// an event is the transition with its guard and a line for each effect, or why the
// event is ignored. It returns an error, and changes nothing, if the command is
// wrong.
func (s *Session) Do(command string) (string, error) {
	words := strings.Fields(command)
	if len(words) == 0 {
		return "", errors.New("the command is empty")
	}
	switch words[0] {
	case commandStart:
		return s.start(words[1:])
	case commandFacts:
		if !s.started {
			return "", errNotStarted
		}
		return factsText(&s.facts) + "\n", nil
	default:
		return s.event(words[0], words[1:])
	}
}

func (s *Session) start(args []string) (string, error) {
	var c fsm.Config
	for _, arg := range args {
		switch key, value, _ := strings.Cut(arg, "="); key {
		case "mode":
			mode, ok := fsm.ParseMode(value)
			if !ok {
				return "", fmt.Errorf("start: mode %q must be auto, stream-only, poll-only or acquire", value)
			}
			c.Mode = mode
		case "after-job":
			c.RetireAfterJob = true
		case "job":
			c.AcquireJob = fsm.JobID(value)
		default:
			return "", fmt.Errorf("start: unknown argument %q", key)
		}
	}
	if err := c.Validate(); err != nil {
		return "", fmt.Errorf("start: %w", err)
	}
	s.started, s.state, s.facts = true, fsm.Initial, c.Facts()
	return s.step(c.Start()), nil
}

// Last returns the last event with its answer, without a time and a worker, and
// reports whether there was one.
func (s *Session) Last() (fsm.Record, bool) { return s.last, s.started }

var errNotStarted = errors.New("no machine: begin the script with start")

func (s *Session) event(command string, args []string) (string, error) {
	kind, ok := fsm.ParseEventKind(command)
	if !ok || kind == fsm.Started {
		return "", fmt.Errorf("unknown command %q: it is neither start, facts nor the name of an event", command)
	}
	if !s.started {
		return "", errNotStarted
	}
	ev := fsm.Event{Kind: kind}
	for _, arg := range args {
		switch key, value, _ := strings.Cut(arg, "="); key {
		case "epoch":
			n, err := strconv.ParseUint(value, 10, 64)
			if err != nil {
				return "", fmt.Errorf("%s: epoch %q is not a whole number: %w", command, value, err)
			}
			ev.Epoch = fsm.Epoch(n)
		case "job":
			ev.Job = fsm.JobID(value)
		default:
			return "", fmt.Errorf("%s: unknown argument %q", command, key)
		}
	}
	return s.step(ev), nil
}

func (s *Session) step(ev fsm.Event) string {
	table := s.Table
	if table == nil {
		table = fsm.Default()
	}
	to, after, effects, d := table.Advance(s.state, &s.facts, ev)
	s.last = fsm.Record{Event: ev}
	s.last.SetAnswer(s.state, to, &d, effects, &after)
	s.state, s.facts = to, after
	return answerText(&s.last)
}

// Transition returns the answer to an event as text: the transition on one line,
// then a line for each effect.
func Transition(from fsm.State, d *fsm.Decision, effects []fsm.Effect) string {
	to := from
	if d.Row != nil {
		to = d.Row.To
	}
	var r fsm.Record
	r.SetAnswer(from, to, d, effects, &fsm.Facts{})
	return answerText(&r)
}

// answerText returns the answer of the record in the form of Transition.
func answerText(r *fsm.Record) string {
	var b strings.Builder
	switch {
	case r.Ignored != "":
		fmt.Fprintf(&b, "%v: ignored: %s\n", r.From, r.Ignored)
		return b.String()
	case r.To == r.From:
		fmt.Fprintf(&b, "%v", r.From)
	default:
		fmt.Fprintf(&b, "%v -> %v", r.From, r.To)
	}
	if r.Guard != "" {
		fmt.Fprintf(&b, " [%s]", r.Guard)
	}
	b.WriteByte('\n')
	for _, e := range r.Effects {
		b.WriteString("  " + effectText(e) + "\n")
	}
	return b.String()
}

// effectText returns an effect on one line, such as "start job J1".
func effectText(e fsm.Effect) string {
	switch e.Kind {
	case fsm.ArmTrust, fsm.SendPing:
		return fmt.Sprintf("%v, epoch %d", e.Kind, e.Epoch)
	case fsm.StartJob, fsm.AcquireJob:
		return fmt.Sprintf("%v %s", e.Kind, e.Job)
	case fsm.CancelJob:
		return fmt.Sprintf("%v: %s", e.Kind, e.Job)
	case fsm.Stop:
		return fmt.Sprintf("%v: %v", e.Kind, e.Reason)
	case fsm.OpenStream, fsm.ArmPollNow, fsm.ArmPollLater, fsm.DisarmPoll, fsm.CancelPing, fsm.StopAccepting:
	}
	return e.Kind.String()
}

// factsText returns facts on one line, without those that are zero.
func factsText(f *fsm.Facts) string {
	words := []string{"mode=" + f.Mode.String(), "stream=" + f.Stream.String()}
	add := func(ok bool, word string) {
		if ok {
			words = append(words, word)
		}
	}
	add(f.Paused, "paused")
	add(f.Leaving != fsm.Staying, fmt.Sprintf("leaving=%q", f.Leaving))
	add(f.Retiring != fsm.Staying, fmt.Sprintf("retiring=%q", f.Retiring))
	add(f.Job != "", "job="+string(f.Job))
	add(f.Pinging, fmt.Sprintf("pinging=%d", f.Ping))
	add(f.Pinging && f.PingIsOld, "old")
	if ids := f.Mailbox.IDs(); len(ids) > 0 {
		words = append(words, fmt.Sprintf("mailbox=%v", ids))
	}
	return strings.Join(words, " ")
}
