package schedule

import "time"

// trust is how far a worker's stream is known to deliver what is offered on it.
type trust uint8

// The degrees of trust. A stream that was not tried yet is trusted.
const (
	trusted trust = iota
	// doubtful: the worker did not accept its last offer in time, and has given a sign
	// of life by another request since. It is offered a job if no other worker is idle.
	doubtful
	// suspect: the same, without a sign of life since. It is offered nothing.
	suspect
)

// quietShare is the part of its lease after which a silent worker counts as one that
// does not respond: it has missed a heartbeat.
const quietShare = 2

// setTrust sets what is known of the worker's stream, and whether the worker is quiet.
func (x *Index) setTrust(w *workerEntry, t trust, quiet bool) {
	if w.trust == t && w.quiet == quiet {
		return
	}
	if w.idleRank != 0 { // its place among the idle workers changes
		w.leaveIdle()
	}
	w.trust, w.quiet = t, quiet
	x.setIdle(w)
}

// sign records a sign of life of a worker, by whatever route.
func (x *Index) sign(w *workerEntry, now time.Time) {
	x.contacts.seenNow(w, now)
	t := w.trust
	if t == suspect {
		t = doubtful
		w.freeSince = "it responded again"
	}
	x.setTrust(w, t, false)
}

// doubt orders idle workers: those with a doubt come last.
func (w *workerEntry) doubt() int {
	if w.quiet || w.trust != trusted {
		return 1
	}
	return 0
}

// Route is how a job reached its worker.
type Route struct {
	// Stream and Ping report whether it was named on the worker's stream to this
	// replica, and in the response to a ping at this replica.
	Stream, Ping bool
}

// Route returns how this replica offered a job to its worker.
func (x *Index) Route(jobID string) Route {
	if j := x.inHand[jobID]; j != nil {
		return j.route
	}
	return Route{}
}
