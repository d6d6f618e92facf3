package lifecycle

import (
	"strings"
	"time"
)

// Bounds of a job's history, in entries. A job that is offered and requeued for
// ever would otherwise outgrow its record.
const (
	historyHead = 8  // the first ones are kept for good
	historyTail = 40 // and the last ones
)

const (
	// MaxReason bounds a reason in the record of a job, in bytes.
	MaxReason = 4 << 10
	// maxEntryText bounds each text of an entry of the history, in bytes. The
	// history repeats them, so they are shorter than in the job itself.
	maxEntryText = 256
)

// shorten returns text, cut to at most limit bytes and marked with an ellipsis if it
// is longer.
func shorten(text string, limit int) string {
	const mark = "…"
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len(mark)], "") + mark
}

// Entry is one change of a job.
type Entry struct {
	// At is when it happened, by the control plane's clock.
	At time.Time `json:"at"`
	// Event is the name of the event, such as Assigned; Actor is who caused it.
	Event string `json:"event"`
	Actor string `json:"actor,omitempty"`
	// From and To are the states before and after; they may be equal.
	From State `json:"from,omitempty"`
	To   State `json:"to"`
	// Reason is for people, and may be empty.
	Reason string `json:"reason,omitempty"`
	// WorkerID and WorkerName name the worker concerned, if any.
	WorkerID   string `json:"worker_id,omitempty"`
	WorkerName string `json:"worker_name,omitempty"`
}

// History is a bounded list of changes, oldest first. It is a value: With returns
// a new one.
type History struct {
	Entries []Entry `json:"entries,omitempty"`
	// Dropped counts entries left out after the first ones.
	Dropped int `json:"dropped,omitempty"`
}

// IsZero reports whether nothing is recorded; encoding/json calls it.
func (h History) IsZero() bool { return len(h.Entries) == 0 }

// Last returns the newest entry, the zero one if there is none.
func (h History) Last() Entry {
	if len(h.Entries) == 0 {
		return Entry{}
	}
	return h.Entries[len(h.Entries)-1]
}

// Head is how many entries stand before those that were dropped.
func (h History) Head() int { return min(historyHead, len(h.Entries)) }

// With returns the history with an entry added, and the oldest entry after the
// first ones dropped if there are too many.
func (h History) With(e Entry) History {
	entries := make([]Entry, 0, len(h.Entries)+1)
	entries = append(append(entries, h.Entries...), e)
	if over := len(entries) - historyHead - historyTail; over > 0 {
		entries = append(entries[:historyHead], entries[historyHead+over:]...)
		h.Dropped += over
	}
	h.Entries = entries
	return h
}
