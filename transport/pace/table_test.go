package pace

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

var eventNames = [eventCount]string{
	"Started", "AttemptDue", "MessageReceived", "StreamEnded", "StreamLost", "StreamRefused", "StreamRefreshed", "PingSucceeded", "PingFailed",
}

// TestTotality shows that every state and event has rows of which the last has no
// guard, or else one entry in the ignored list.
func TestTotality(t *testing.T) {
	for state := range State(stateCount) {
		for event := range Event(eventCount) {
			name := fmt.Sprintf("%s, %s", state, eventNames[event])
			rows, final := 0, 0
			for _, r := range table {
				if r.on != event || !slices.Contains(r.from, state) {
					continue
				}
				rows++
				if r.when == nil {
					final++
				} else if final > 0 {
					t.Errorf("%s: row %d follows a row that always holds", name, rows)
				}
			}
			reasons := 0
			for _, entry := range ignored {
				if slices.Contains(entry.from, state) && slices.Contains(entry.events, event) {
					reasons++
				}
			}
			if rows > 0 && (final != 1 || reasons != 0) || rows == 0 && reasons != 1 {
				t.Errorf("%s: %d rows, %d without a guard, %d reasons to ignore it", name, rows, final, reasons)
			}
		}
	}
}

// TestEveryRowIsTaken runs random events and shows that each row applies in each of
// its states, and that a planned attempt is never before a Retry-After.
func TestEveryRowIsTaken(t *testing.T) {
	chance := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	type taking struct {
		row  int
		from State
	}
	taken := map[taking]bool{}
	for range 500 {
		m := &simulation{Schedule: New(2*time.Second, chance.Float64), now: time.Now()}
		for range 500 {
			event := Event(chance.IntN(eventCount))
			if i := slices.IndexFunc(table, func(r row) bool {
				m.Schedule.now = m.now
				return r.on == event && slices.Contains(r.from, m.state) && (r.when == nil || r.when(m.Schedule))
			}); i >= 0 {
				taken[taking{i, m.state}] = true
			}
			switch event {
			case Started:
				m.Start(m.now, false)
			case StreamEnded, StreamLost, StreamRefused, StreamRefreshed:
				m.End(m.now, event, time.Duration(chance.IntN(3))*time.Second)
			default:
				m.Step(m.now, event)
			}
			if slices.Contains(waiting, m.state) && event != AttemptDue && m.due.Before(m.notBefore) {
				t.Fatalf("%s: an attempt %v before Retry-After", m.state, m.notBefore.Sub(m.due))
			}
			m.now = m.now.Add(time.Duration(chance.IntN(10000)) * time.Millisecond)
		}
	}
	for i, r := range table {
		for _, from := range r.from {
			if !taken[taking{i, from}] {
				t.Errorf("row %d (%s, %s) was never taken", i, from, eventNames[r.on])
			}
		}
	}
}
