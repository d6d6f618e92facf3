package replay

import (
	"maps"
	"time"

	"github.com/switchyard-ci/switchyard/fsm"
)

// Kill is the end of a worker with its process, which it did not survive.
type Kill struct {
	// After is the time of its last record, and Before a time at which the process had ended.
	After, Before time.Time
}

// Ended takes that the process that wrote the last line has ended before a time. Its
// workers that had not left were killed.
func (p *Replay) Ended(before time.Time) {
	if p.Killed == nil {
		p.Killed = map[string]Kill{}
	}
	for id, last := range p.last {
		if last.To != fsm.Stopped {
			p.Killed[id] = Kill{last.Time, before}
		}
	}
	clear(p.last)
}

// Continues takes that the process that wrote the last line still runs at a time: each of
// its workers that has not left is in the state that it entered last.
func (p *Replay) Continues(now time.Time) {
	seen := map[string]bool{}
	for i := range p.Records { // in their order
		id := p.Records[i].Worker
		if last := p.last[id]; last != nil && last.To != fsm.Stopped && !seen[id] {
			seen[id] = true
			p.Records = append(p.Records, at(last, now))
		}
	}
}

// Timeline returns the timeline of the records that a filter selects, with the workers
// that were killed.
func (p *Replay) Timeline(f Filter) *Timeline {
	t := NewTimeline(f.Apply(p.Records, p.Killed))
	for i := range t.Workers {
		w := &t.Workers[i]
		kill, killed := p.Killed[w.Worker]
		w.Killed = killed && !w.End.Before(kill.After)
	}
	return t
}

// Add adds the records of another replay, of other workers, and which of those were killed.
func (p *Replay) Add(other *Replay) {
	p.Records = append(p.Records, other.Records...)
	if p.Killed == nil {
		p.Killed = map[string]Kill{}
	}
	maps.Copy(p.Killed, other.Killed)
}
