package record

import "time"

// QueuePause is the stored record of the pause of a queue. It is kept for a while after
// the queue was resumed, with Paused unset.
type QueuePause struct {
	Queue  string `json:"queue"`
	Paused bool   `json:"paused"`
	// Reason is for people, By the name of the token with which the queue was paused
	// last, and At when it was paused first.
	Reason string    `json:"reason,omitempty"`
	By     string    `json:"by,omitempty"`
	At     time.Time `json:"at,omitzero"`

	// Revision is the sequence of the stored message, which a change expects to
	// replace. 0 is a record that is not stored yet.
	Revision uint64 `json:"-"`
}
