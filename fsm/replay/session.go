package replay

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Arg is one argument of a command, key=value or a key alone.
type Arg struct {
	Key, Value string
}

// Session is a machine that is driven by commands. It must be used by one
// goroutine at a time. The zero value waits for the command start.
type Session struct {
	// Table answers. Nil means fsm.Default.
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

// Do carries out one command and returns its answer:
//
//	start [mode=auto|stream-only|poll-only|acquire] [after-job] [job=ID]
//	facts
//	EVENT [epoch=N] [job=ID]
//
// where EVENT is the name of an fsm.EventKind, such as StreamLost. The answer to
// an event is the transition with its guard, and a line for each effect; or why
// the event is ignored. An error says what is wrong with the command; it
// changes nothing.
func (s *Session) Do(command string, args []Arg) (string, error) {
	switch command {
	case commandStart:
		return s.start(args)
	case commandFacts:
		return s.tellFacts()
	default:
		return s.event(command, args)
	}
}

func (s *Session) start(args []Arg) (string, error) {
	var c fsm.Config
	for _, a := range args {
		switch a.Key {
		case "mode":
			mode, ok := fsm.ParseMode(a.Value)
			if !ok {
				return "", fmt.Errorf("start: mode %q is none of auto, stream-only, poll-only and acquire", a.Value)
			}
			c.Mode = mode
		case "after-job":
			c.RetireAfterJob = true
		case "job":
			c.AcquireJob = fsm.JobID(a.Value)
		default:
			return "", fmt.Errorf("start: unknown argument %q", a.Key)
		}
	}
	if err := c.Validate(); err != nil {
		return "", fmt.Errorf("start: %w", err)
	}
	s.started, s.state = true, fsm.Initial
	s.facts = fsm.Facts{Mode: c.Mode, RetireAfterJob: c.RetireAfterJob}
	return s.step(fsm.Event{Kind: fsm.Started, Job: c.AcquireJob})
}

func (s *Session) tellFacts() (string, error) {
	if !s.started {
		return "", errNotStarted
	}
	return Facts(&s.facts) + "\n", nil
}

// Last returns the last event with its answer, and whether there was one. It has
// neither a time nor a worker.
func (s *Session) Last() (fsm.Record, bool) { return s.last, s.started }

var errNotStarted = errors.New("no machine: begin the script with start")

func (s *Session) event(command string, args []Arg) (string, error) {
	kind, ok := fsm.ParseEventKind(command)
	if !ok || kind == fsm.Started {
		return "", fmt.Errorf("unknown command %q: it is neither start, facts nor the name of an event", command)
	}
	if !s.started {
		return "", errNotStarted
	}
	ev := fsm.Event{Kind: kind}
	for _, a := range args {
		switch a.Key {
		case "epoch":
			n, err := strconv.ParseUint(a.Value, 10, 64)
			if err != nil {
				return "", fmt.Errorf("%s: epoch %q is no whole number: %w", command, a.Value, err)
			}
			ev.Epoch = fsm.Epoch(n)
		case "job":
			ev.Job = fsm.JobID(a.Value)
		default:
			return "", fmt.Errorf("%s: unknown argument %q", command, a.Key)
		}
	}
	return s.step(ev)
}

func (s *Session) step(ev fsm.Event) (string, error) {
	table := s.Table
	if table == nil {
		table = fsm.Default()
	}
	to, after, effects, d := table.Advance(s.state, &s.facts, ev)
	s.last = fsm.Record{Event: ev}
	s.last.SetAnswer(s.state, to, &d, effects, &after)
	s.state, s.facts = to, after
	return tell(&s.last), nil
}

// Transition writes the answer to an event: the transition on one line, then a
// line for each effect.
func Transition(from fsm.State, d *fsm.Decision, effects []fsm.Effect) string {
	to := from
	if d.Row != nil {
		to = d.Row.To
	}
	var r fsm.Record
	r.SetAnswer(from, to, d, effects, &fsm.Facts{})
	return tell(&r)
}

// tell writes the answer of the record as Transition does.
func tell(r *fsm.Record) string {
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
		b.WriteString("  " + Effect(e) + "\n")
	}
	return b.String()
}

// Effect writes an effect on one line, such as "start job J1".
func Effect(e fsm.Effect) string {
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

// Facts writes facts on one line; those that say nothing are left out.
func Facts(f *fsm.Facts) string {
	words := []string{"mode=" + f.Mode.String(), "stream=" + f.Stream.String()}
	say := func(when bool, word string) {
		if when {
			words = append(words, word)
		}
	}
	say(f.Paused, "paused")
	say(f.Leaving != fsm.Staying, fmt.Sprintf("leaving=%q", f.Leaving))
	say(f.Retiring != fsm.Staying, fmt.Sprintf("retiring=%q", f.Retiring))
	say(f.Job != "", "job="+string(f.Job))
	say(f.Pinging, fmt.Sprintf("pinging=%d", f.Ping))
	say(f.Pinging && f.PingIsOld, "old")
	if ids := f.Mailbox.IDs(); len(ids) > 0 {
		words = append(words, fmt.Sprintf("mailbox=%v", ids))
	}
	return strings.Join(words, " ")
}
