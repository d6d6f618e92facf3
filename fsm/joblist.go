package fsm

import "slices"

// MailboxSize is the most job IDs that a mailbox holds. A control plane assigns
// one job at a time to a worker; sixteen leaves room for one that reassigns
// while a job runs. An offer that does not fit is dropped, and repeated by the
// next connection or ping.
const MailboxSize = 16

// Mailbox holds the IDs of jobs that were offered while work was in hand or the
// worker was paused: in order, without duplicates. The zero value is empty. It
// is a value: a copy is independent.
type Mailbox struct {
	ids []JobID // shared by copies and never written
}

// MailboxOf returns a mailbox to which the IDs were added in this order.
func MailboxOf(ids ...JobID) Mailbox {
	var m Mailbox
	for _, id := range ids {
		m.add(id)
	}
	return m
}

// Len returns the number of IDs.
func (m *Mailbox) Len() int { return len(m.ids) }

// IDs returns a copy of the IDs, oldest first.
func (m *Mailbox) IDs() []JobID { return slices.Clone(m.ids) }

// Has reports whether the mailbox holds the ID.
func (m *Mailbox) Has(id JobID) bool { return slices.Contains(m.ids, id) }

// add appends the ID, unless the mailbox holds it already or is full.
func (m *Mailbox) add(id JobID) {
	if len(m.ids) < MailboxSize && !m.Has(id) {
		m.ids = append(slices.Clip(m.ids), id)
	}
}

// remove removes the ID, if the mailbox holds it.
func (m *Mailbox) remove(id JobID) { m.ids = without(m.ids, id) }

// take removes the oldest ID and returns it, or "" if the mailbox is empty.
func (m *Mailbox) take() JobID {
	if len(m.ids) == 0 {
		return ""
	}
	id := m.ids[0]
	m.remove(id)
	return id
}

func (m *Mailbox) clear() { m.ids = nil }

// SeenSize is how many started jobs a worker remembers: more than can be on
// offer to it at once, so that none is started twice.
const SeenSize = 256

// seenStep is how many IDs are copied at most when one is added, but for each seenStep-th.
const seenStep = 16

// Seen remembers the IDs of the last jobs that were started. The zero value is
// empty. It is a value: a copy is independent, which lets facts be kept and compared. The
// copies that a history of records keeps share most of their memory.
type Seen struct {
	// At most SeenSize in both, oldest first, shared by copies and never written. Those in
	// newer, fewer than seenStep, are behind those in older.
	older, newer []JobID
}

// SeenOf returns a memory to which the IDs were added in this order.
func SeenOf(ids ...JobID) Seen {
	var s Seen
	for _, id := range ids {
		s.add(id)
	}
	return s
}

// Has reports whether the ID is remembered.
func (s *Seen) Has(id JobID) bool {
	return slices.Contains(s.older, id) || slices.Contains(s.newer, id)
}

// Len returns the number of IDs.
func (s *Seen) Len() int { return len(s.older) + len(s.newer) }

// IDs returns a copy of the IDs, oldest first.
func (s *Seen) IDs() []JobID { return slices.Concat(s.older, s.newer) }

// add appends the ID, and drops the oldest one when there are too many.
func (s *Seen) add(id JobID) {
	if s.Len() == SeenSize {
		s.older = s.older[1:]
	}
	s.newer = slices.Concat(s.newer, []JobID{id})
	if len(s.newer) == seenStep {
		s.older, s.newer = slices.Concat(s.older, s.newer), nil
	}
}

// remove removes the ID, if it is remembered.
func (s *Seen) remove(id JobID) { s.older, s.newer = without(s.older, id), without(s.newer, id) }

// without returns the IDs without one of them, and does not change its
// argument. An empty result is nil, so that equal lists compare as equal.
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
