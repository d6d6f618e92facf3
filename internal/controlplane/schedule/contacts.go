package schedule

import (
	"container/list"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// contacts have the workers in the order of their silence, so that a sweep looks at those
// alone from which nothing was received for long, and not at all of a large fleet each
// second.
type contacts struct {
	connected list.List               // by when they were last seen, the longest ago first
	away      list.List               // the others, by when this replica saw that
	pauses    map[string]*workerEntry // those with a pause that ends by itself
}

func newContacts() contacts { return contacts{pauses: map[string]*workerEntry{}} }

// applied takes a worker whose record was applied into its order.
func (x *Index) applied(w *workerEntry, now time.Time) {
	id, away := w.record.ID, !w.record.State.Connected()
	if w.turn == nil || away != w.away {
		x.contacts.remove(w)
		if w.away = away; away {
			w.left, w.turn = now, x.contacts.away.PushBack(w)
			x.setTrust(w, w.trust, false)
		} else {
			w.seen, w.turn = now, x.contacts.connected.PushBack(w)
		}
	}
	if w.record.Standing() == workerstate.Paused && w.record.PauseFor > 0 {
		x.contacts.pauses[id] = w
	} else {
		delete(x.contacts.pauses, id)
	}
}

// seenNow notes that a worker was seen.
func (c *contacts) seenNow(w *workerEntry, now time.Time) {
	w.seen = now
	if !w.away {
		c.connected.MoveToBack(w.turn)
	}
}

// remove removes a worker from its order, if it is in one.
func (c *contacts) remove(w *workerEntry) {
	if w.turn != nil {
		c.connected.Remove(w.turn) // each of the two lists knows its own
		c.away.Remove(w.turn)
	}
}

// forget removes a worker that is dropped.
func (c *contacts) forget(w *workerEntry) {
	c.remove(w)
	delete(c.pauses, w.record.ID)
}

// silentFor calls visit with the connected workers from which nothing was received for
// longer than d.
func (c *contacts) silentFor(d time.Duration, now time.Time, visit func(w *workerEntry)) {
	for e := c.connected.Front(); e != nil; e = e.Next() {
		w := e.Value.(*workerEntry) //nolint:forcetypeassert // it has nothing else
		if now.Sub(w.seen) <= d {
			return
		}
		visit(w)
	}
}

// awayFor calls visit, which may drop it, with the workers that are not connected for longer
// than d.
func (c *contacts) awayFor(d time.Duration, now time.Time, visit func(w *workerEntry)) {
	for e := c.away.Front(); e != nil; {
		w := e.Value.(*workerEntry) //nolint:forcetypeassert // it has nothing else
		if now.Sub(w.left) <= d {
			return
		}
		e = e.Next()
		visit(w)
	}
}

// ExpiredWorkers returns the workers whose lease has expired, and notes those from which
// nothing was received for a part of it.
func (x *Index) ExpiredWorkers(now time.Time, lease time.Duration) []string {
	var ids []string
	x.contacts.silentFor(lease/quietShare, now, func(w *workerEntry) {
		x.setTrust(w, w.trust, true)
		if w.expired(now, lease) {
			ids = append(ids, w.record.ID)
		}
	})
	return ids
}

// Expired reports whether a worker has been silent for longer than its lease.
func (x *Index) Expired(workerID string, now time.Time, lease time.Duration) bool {
	w := x.workers[workerID]
	return w != nil && w.expired(now, lease)
}

func (w *workerEntry) expired(now time.Time, lease time.Duration) bool {
	return w.record.State.Connected() && now.Sub(w.seen) > lease
}

// ExpiredPauses returns the workers whose pause ends by itself, and has lasted for its
// time since this replica saw it begin.
func (x *Index) ExpiredPauses(now time.Time) (expired []record.Worker) {
	for _, w := range x.contacts.pauses {
		if now.Sub(w.pauseSeen) >= w.record.PauseFor {
			expired = append(expired, w.record)
		}
	}
	return expired
}

// tidyWorkers drops workers that have been away for longer than their records are kept.
func (x *Index) tidyWorkers(now time.Time, retention time.Duration) {
	x.contacts.awayFor(retention, now, func(w *workerEntry) {
		// The watch must have passed the record, or it would bring the worker back.
		if len(w.jobs) == 0 && w.claim == nil && w.record.Revision <= x.position {
			x.ForgetWorker(w.record.ID)
		}
	})
}
