package worker

import (
	"fmt"
	"time"
)

// stallLimit is how late a timer may be before the history says so: a machine that has much
// to do is late by less.
const stallLimit = 2 * time.Second

// noteStall notes that the process did not run for a while: a timer should have fired long
// before now. It was stopped, its machine was suspended, or it got no processor. Each stall
// is noted once.
func (w *Worker) noteStall(now time.Time) {
	for _, due := range []*time.Time{&w.trust.due, &w.heartbeats.due} {
		if late := now.Sub(*due); !due.IsZero() && late > stallLimit {
			w.stalled = max(w.stalled, late)
			*due = time.Time{}
		}
	}
}

// withStall adds to the cause of an event, for people, that the process did not run before
// it, if that is not recorded yet.
func (w *Worker) withStall(cause string) string {
	if w.stalled == 0 {
		return cause
	}
	text := fmt.Sprintf("this agent did not run for %v or more", w.stalled.Truncate(time.Second))
	w.stalled = 0
	if cause == "" {
		return text
	}
	return text + "; " + cause
}
