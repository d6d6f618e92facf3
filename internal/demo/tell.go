package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// teller writes the demo for people. It may be used concurrently: the worker
// tells its transitions while the story goes on. What cannot be written is
// lost, as on any terminal.
type teller struct {
	begun time.Time

	mu  sync.Mutex
	out io.Writer
}

// line tells what is done next.
func (t *teller) line(text string) { t.print("\n" + text + "\n") }

// transition tells what the worker answered to an event.
func (t *teller) transition(tr fsm.Record) {
	var b strings.Builder
	move := tr.To.String()
	if tr.From != tr.To {
		move = tr.From.String() + " -> " + move
	}
	fmt.Fprintf(&b, "%8.3fs  %-32s %v", tr.Time.Sub(t.begun).Seconds(), move, tr.Event.Kind)
	if tr.Guard != "" && tr.Guard != "otherwise" {
		fmt.Fprintf(&b, " [%s]", tr.Guard)
	}
	if tr.Ignored != "" {
		fmt.Fprintf(&b, " ignored: %s", tr.Ignored)
	}
	for i, e := range tr.Effects {
		if i == 0 {
			b.WriteString(" / ")
		} else {
			b.WriteString(", ")
		}
		b.WriteString(e.Kind.String())
	}
	if tr.Cause != "" {
		fmt.Fprintf(&b, "  (%s)", tr.Cause)
	}
	b.WriteByte('\n')
	t.print(b.String())
}

// account tells the end of the story.
func (t *teller) account(a account) {
	t.print(fmt.Sprintf(`
jobs run          %d
jobs lost         %d
jobs run twice    %d
loss noticed      %v after the cut
time to fall back %v from the end of the job in hand to the first ping
stream back       %v after it was healed
time to reclaim   %v after it was healed, its ping's job finished first
in all            %v
`, a.run, a.lost, a.twice,
		round(a.noticed), round(a.fallBack), round(a.back), round(a.reclaim), round(time.Since(t.begun))))
}

func round(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

func (t *teller) print(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = io.WriteString(t.out, text)
}
