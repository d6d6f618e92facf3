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
	w.discount()
	w.counted = w.condition()
	w.queue.counts[w.counted]++
	if w.counted == unresponsive {
		w.queue.unresponsive[w] = struct{}{}
	}
}

// discount undoes count.
func (w *workerEntry) discount() {
	if w.counted != uncounted {
		w.queue.counts[w.counted]--
		w.counted = uncounted
	}
	delete(w.queue.unresponsive, w)
}

// WaitingReason returns why the jobs of a queue wait, for people. It takes a time that
// does not depend on the number of workers, but of those that do not respond.
func (x *Index) WaitingReason(queue string, now time.Time) string {
	if p, paused := x.QueuePause(queue); paused {
		return pauseReason(p)
	}
	q := x.queues[queue]
	if q == nil {
		return "no worker is connected in queue " + queue
	}
	connected := len(q.workers) - q.counts[away]
	var parts []string
	for _, p := range []struct {
		n    int
		what string
	}{
		{q.counts[busy], "busy"},
		{q.counts[unresponsive], q.silence(now)},
		{q.counts[paused], "paused"},
		{q.counts[draining], "taking no more work"},
	} {
		switch {
		case p.n == 0:
		case p.n == 1 && connected == 1:
			return fmt.Sprintf("the one worker in queue %s is %s", queue, p.what)
		case p.n == connected:
			return fmt.Sprintf("all %d workers in queue %s are %s", p.n, queue, p.what)
		default:
			parts = append(parts, fmt.Sprintf("%d %s", p.n, p.what))
		}
	}
	switch {
	case connected == 0:
		return "no worker is connected in queue " + queue
	case q.counts[free] == 0:
		return fmt.Sprintf("no worker in queue %s is free: %s", queue, strings.Join(parts, ", "))
	}
	return fmt.Sprintf("a worker in queue %s is free, and will be given the job when it polls", queue)
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

// silence returns for how long nothing was received from the workers that do not
// respond, for people.
func (q *queueEntry) silence(now time.Time) string {
	var last time.Time
	for w := range q.unresponsive {
		last = later(last, w.seen)
	}
	silent := now.Sub(last).Truncate(silenceStep)
	if silent == 0 { // they did not accept an offer
		return "not responding to an offer"
	}
	text := fmt.Sprintf("not responding (nothing received for %s", silent)
	if len(q.unresponsive) > 1 {
		text += " or longer"
	}
	return text + ")"
}
