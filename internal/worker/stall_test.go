package worker

import (
	"testing"
	"time"
)

// TestStall checks that a timer that fires much too late is recorded with the next event,
// once.
func TestStall(t *testing.T) {
	t.Parallel()
	now := time.Now()
	w := &Worker{}
	w.noteStall(now) // nothing is armed
	w.trust.due, w.heartbeats.due = now.Add(-time.Second), now.Add(time.Second)
	w.noteStall(now)
	if got := w.withStall("cause"); got != "cause" {
		t.Errorf("a little late: %s", got)
	}
	w.noteStall(now.Add(40 * time.Second))
	for i, want := range []string{"this agent did not run for 41s or more; no message for 5s", "no message for 5s"} {
		if got := w.withStall("no message for 5s"); got != want {
			t.Errorf("record %d: %s, want %s", i, got, want)
		}
		w.noteStall(now.Add(time.Minute)) // the same stall
	}
	w.trust.due = now
	w.noteStall(now.Add(3 * time.Second))
	if got := w.withStall(""); got != "this agent did not run for 3s or more" {
		t.Errorf("without a cause: %s", got)
	}
}
