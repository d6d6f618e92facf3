package schedule

// Announcement is what a replica says to the others about a stream of a worker. Of the
// streams of one worker on several replicas one survives: the one that ranks highest, by
// its epoch, and then by the ID of its replica. A stream that is opened when others are
// known ranks above them. Two that are opened at once may be announced to each replica
// in another order, but rank the same everywhere.
type Announcement struct {
	Replica, WorkerID string
	// Number is the number of the stream at its replica.
	Number uint64
	// Epoch grows with each stream of the worker that a replica knows of.
	Epoch uint64
}

// Announcement returns what to say about a worker's stream; ok is false if this replica
// has none.
func (x *Index) Announcement(replica, workerID string) (a Announcement, ok bool) {
	w := x.workers[workerID]
	if w == nil || w.stream == nil {
		return a, false
	}
	return Announcement{Replica: replica, WorkerID: workerID, Number: w.streamNumber, Epoch: w.streamEpoch}, true
}

// Announced records that the other replicas know of a stream of this one. What they said
// before is older. It reports whether the stream must be announced again, because it
// ranks higher than it was announced.
func (x *Index) Announced(workerID string, number uint64) (again bool) {
	w := x.workers[workerID]
	if w == nil || w.streamNumber != number {
		return false
	}
	if !w.announced {
		w.announced, w.otherReplica = true, ""
	}
	again, w.raised = w.raised && w.stream != nil, false
	return again
}

// AttachedTo records that another replica than self has a stream of a worker. It returns
// this replica's stream if that is superseded, else nil; and whether this replica's
// stream must be announced again, because the other one is superseded and may not know.
func (x *Index) AttachedTo(self string, a Announcement) (superseded Stream, again bool) {
	w := x.workers[a.WorkerID]
	if w == nil {
		return nil, false
	}
	w.epoch = max(w.epoch, a.Epoch)
	if w.stream == nil {
		if w.otherReplica != a.Replica {
			w.otherReplica = a.Replica
			w.changed(happening{what: streamOpened})
		}
		return nil, false
	}
	outranked := a.Epoch > w.streamEpoch || a.Epoch == w.streamEpoch && a.Replica > self
	switch {
	case outranked && !w.announced: // it was announced before this one
		w.epoch++
		w.streamEpoch, w.raised = w.epoch, true
		return nil, false
	case outranked:
		superseded, w.stream = w.stream, nil
		w.otherReplica = a.Replica
		x.setIdle(w)
		return superseded, false
	}
	return nil, w.announced
}

// DetachedFrom records that a worker's stream to another replica has ended.
func (x *Index) DetachedFrom(replica, workerID string) {
	if w := x.workers[workerID]; w != nil && w.otherReplica == replica {
		w.otherReplica = ""
		w.changed(happening{what: streamEnded})
	}
}

// Unannounced returns the workers whose streams the other replicas may not know of. A
// signal is lost when the connection to the store is.
func (x *Index) Unannounced() (workerIDs []string) {
	for id, w := range x.workers {
		if w.stream != nil && !w.announced {
			workerIDs = append(workerIDs, id)
		}
	}
	return workerIDs
}
