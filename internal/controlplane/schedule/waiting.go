package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
)

// silenceStep is the unit in which a silence is shown, so that the text does not
// change with every second.
const silenceStep = 5 * time.Second

// condition is what keeps a worker from taking a job.
type condition uint8

// The conditions.
const (
	uncounted    condition = iota // not in the counts of its queue
	away                          // not connected
	free                          // nothing; if it has no stream here, it takes a job with its next ping
	busy                          // it has a job, or is about to
	unresponsive                  // nothing is received from it, or it did not accept its last offer
	paused
	draining // or it leaves after the job that it has
	conditionCount
)

// condition returns what keeps the worker from taking a job.
func (w *workerEntry) condition() condition {
	switch {
	case !w.record.State.Connected():
		return away
	case w.record.State == workerstate.Paused:
		return paused
	case !w.record.MayBeAssigned():
		return draining
	case w.quiet || w.trust == suspect:
		return unresponsive
	case len(w.jobs) > 0 || w.claim != nil:
		return busy
	}
	return free
}

// count keeps the number of workers of a queue in each condition up to date.
func (w *workerEntry) count() {
	c := w.condition()
	if c == w.counted {
		return
	}
	w.discount()
	q := w.queue
	w.counted = c
	q.counts[c]++
	q.inCondition[c] = q.inCondition[c].with(w)
	if c == unresponsive {
		q.unresponsive[w] = struct{}{}
	}
	w.setConnected(c > away)
}

// discount undoes count.
func (w *workerEntry) discount() {
	if w.counted != uncounted {
		w.queue.counts[w.counted]--
		w.queue.inCondition[w.counted].remove(w)
		w.counted = uncounted
	}
	delete(w.queue.unresponsive, w)
}

// setConnected keeps the set of connected workers of a queue up to date.
func (w *workerEntry) setConnected(connected bool) {
	q := w.queue
	switch is := q.connected.word(w.number/wordBits)&w.bit() != 0; {
	case is == connected:
		return
	case connected:
		q.connected = q.connected.with(w)
	default:
		q.connected.remove(w)
	}
	q.version++
}

// WaitingReason returns why the jobs of a queue wait that require tags, which are in order
// and each once, for people. For jobs without tags it takes a time that does not depend on
// the number of workers, but of those that do not respond.
func (x *Index) WaitingReason(queue string, required []string, now time.Time) string {
	if p, paused := x.QueuePause(queue); paused {
		return pauseReason(p)
	}
	q := x.queues[queue]
	if q == nil || q.connectedWorkers() == 0 {
		return "no worker is connected in queue " + queue
	}
	if len(required) == 0 {
		return waitingReason("queue "+queue, crowd{counts: q.counts, silence: q.silence(now)})
	}
	with := "the " + describeTags(required)
	c := x.group(queue, required).crowd(now)
	if c.available() == 0 {
		return fmt.Sprintf("no worker in queue %s has %s", queue, with)
	}
	return waitingReason(fmt.Sprintf("queue %s with %s", queue, with), c)
}

// waitingReason returns why jobs wait that the workers of a crowd could run. where is where
// these are, for people.
func waitingReason(where string, c crowd) string {
	connected := c.available()
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{c.counts[busy], "busy"},
		{c.counts[unresponsive], c.silence},
		{c.counts[paused], "paused"},
		{c.counts[draining], "taking no more work"},
	} {
		switch {
		case p.n == 0:
		case p.n == 1 && connected == 1:
			return fmt.Sprintf("the one worker in %s is %s", where, p.what)
		case p.n == connected:
			return fmt.Sprintf("all %d workers in %s are %s", p.n, where, p.what)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	if c.counts[free] == 0 {
		return fmt.Sprintf("no worker in %s is free: %s", where, strings.Join(parts, ", "))
	}
	return fmt.Sprintf("a worker in %s is free, and will be given the job when it polls", where)
}

// UnheardReason returns for how long nothing was received from the worker of a job, for
// people, or "" if that is not long.
func (x *Index) UnheardReason(workerID string, now time.Time) string {
	w := x.workers[workerID]
	if w == nil || !w.quiet {
		return ""
	}
	return fmt.Sprintf("nothing received from its worker %s for %s", w.record.Name, now.Sub(w.seen).Truncate(silenceStep))
}

// connectedWorkers returns how many workers of the queue are connected.
func (q *queueEntry) connectedWorkers() int { return len(q.workers) - q.counts[away] }

// silence returns for how long nothing was received from the workers that do not
// respond, for people.
func (q *queueEntry) silence(now time.Time) string {
	var last time.Time
	for w := range q.unresponsive {
		last = later(last, w.seen)
	}
	return silence(last, len(q.unresponsive), now)
}

// silence returns for how long nothing was received from workers that do not respond, for
// people. last is when the last of them gave a sign of life.
func silence(last time.Time, workers int, now time.Time) string {
	silent := now.Sub(last).Truncate(silenceStep)
	if silent == 0 { // they did not accept an offer
		return "not responding to an offer"
	}
	text := fmt.Sprintf("not responding (nothing received for %s", silent)
	if workers > 1 {
		text += " or longer"
	}
	return text + ")"
}
