package demo

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/present"
)

// printer writes the demo for people. It may be used concurrently: the worker
// prints its transitions while the steps are announced. Errors of the writer are
// ignored.
type printer struct {
	started time.Time

	mu  sync.Mutex
	out io.Writer
}

// line announces the next step.
func (p *printer) line(text string) { p.print("\n" + text + "\n") }

// transition prints an event of the worker with the machine's answer.
func (p *printer) transition(r fsm.Record) {
	move := r.To.String()
	if r.From != r.To {
		move = r.From.String() + " -> " + move
	}
	text := fmt.Sprintf("%8.3fs  %-32s %v", r.Time.Sub(p.started).Seconds(), move, r.Event.Kind)
	if r.Guard != "" && r.Guard != "otherwise" {
		text += " [" + r.Guard + "]"
	}
	if r.Ignored != "" {
		text += " ignored: " + r.Ignored
	}
	effects := make([]string, len(r.Effects))
	for i, e := range r.Effects {
		effects[i] = e.Kind.String()
	}
	if len(effects) > 0 {
		text += " / " + strings.Join(effects, ", ")
	}
	if r.Cause != "" {
		text += "  (" + r.Cause + ")"
	}
	p.print(text + "\n")
}

// timelines prints the changes of the jobs, as the control plane has stored them.
func (p *printer) timelines(jobs []finalJob) error {
	var text strings.Builder
	for _, job := range jobs {
		fmt.Fprintf(&text, "\nThe %s job: %s\n", job.name, job.GetId())
		if err := present.Timeline(&text, job.Job); err != nil {
			return fmt.Errorf("printing the changes of the %s job: %w", job.name, err)
		}
	}
	p.print(text.String())
	return nil
}

// results prints the figures at the end.
func (p *printer) results(r *results) {
	p.print(fmt.Sprintf(`
jobs run          %d
jobs lost         %d
jobs run twice    %d
loss noticed      %v after the cut
time to fall back %v from the end of the running job to the first ping
stream back       %v after the repair
time to reclaim   %v after the repair, with the ping's job finished first
total             %v
`, r.run, r.lost, r.twice, round(r.noticed), round(r.fallBack), round(r.back), round(r.reclaimed), round(time.Since(p.started))))
}

func round(d time.Duration) time.Duration {
	if d < time.Millisecond {
		return d.Round(time.Microsecond)
	}
	return d.Round(time.Millisecond)
}

func (p *printer) print(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, _ = io.WriteString(p.out, text)
}
