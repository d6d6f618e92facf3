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
	ids [MailboxSize]JobID
	n   int
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
func (m *Mailbox) Len() int { return m.n }

// IDs returns the ids, oldest first, in a slice of the caller's own.
func (m *Mailbox) IDs() []JobID {
	return append([]JobID(nil), m.ids[:m.n]...)
}

// Has tells whether the id is held.
func (m *Mailbox) Has(id JobID) bool {
	return slices.Contains(m.ids[:m.n], id)
}

// add holds the id unless it is held already or there is no room.
func (m *Mailbox) add(id JobID) {
	if m.n == MailboxSize || m.Has(id) {
		return
	}
	m.ids[m.n] = id
	m.n++
}

// remove lets the id go, if it is held.
func (m *Mailbox) remove(id JobID) {
	for i, held := range m.ids[:m.n] {
		if held == id {
			copy(m.ids[i:m.n], m.ids[i+1:m.n])
			m.n--
			m.ids[m.n] = ""
			return
		}
	}
}

// take lets the oldest id go and returns it; the mailbox must not be empty.
func (m *Mailbox) take() JobID {
	id := m.ids[0]
	m.remove(id)
	return id
}

// clear lets every id go.
func (m *Mailbox) clear() { *m = Mailbox{} }
