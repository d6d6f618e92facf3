package fsm

import "slices"

// MailboxSize is the most job ids that a mailbox holds. A control plane has
// one assignment out to a worker at a time; sixteen leaves room for one that
// reassigns while a job runs. What does not fit is offered again by the next
// connection or ping.
const MailboxSize = 16

// Mailbox holds the ids of jobs that were named while work was in hand or the
// worker was paused: in order, without duplicates. The zero value is empty. It
// is a value: a copy is independent.
type Mailbox struct {
	ids []JobID // shared by copies and never written
}

// MailboxOf returns a mailbox that holds the ids, as if they had come in this
// order.
func MailboxOf(ids ...JobID) Mailbox {
	var m Mailbox
	for _, id := range ids {
		m.add(id)
	}
	return m
}

// Len returns the number of ids.
func (m *Mailbox) Len() int { return len(m.ids) }

// IDs returns the ids, oldest first, in a slice of the caller's own.
func (m *Mailbox) IDs() []JobID { return slices.Clone(m.ids) }

// Has tells whether the id is held.
func (m *Mailbox) Has(id JobID) bool {
	return slices.Contains(m.ids, id)
}

// add holds the id unless it is held already or there is no room.
func (m *Mailbox) add(id JobID) {
	if len(m.ids) < MailboxSize && !m.Has(id) {
		m.ids = append(slices.Clip(m.ids), id)
	}
}

// remove lets the id go, if it is held.
func (m *Mailbox) remove(id JobID) { m.ids = without(m.ids, id) }

// take lets the oldest id go and returns it; an empty mailbox gives the empty id.
func (m *Mailbox) take() JobID {
	if len(m.ids) == 0 {
		return ""
	}
	id := m.ids[0]
	m.remove(id)
	return id
}

// clear lets every id go.
func (m *Mailbox) clear() { m.ids = nil }

// without returns the ids without one of them, and leaves those that it is given
// as they are. None are nil, so that what holds nothing is the same however it
// came to that.
func without(ids []JobID, id JobID) []JobID {
	at := slices.Index(ids, id)
	switch {
	case at < 0:
		return ids
	case len(ids) == 1:
		return nil
	default:
		return slices.Concat(ids[:at], ids[at+1:])
	}
}
