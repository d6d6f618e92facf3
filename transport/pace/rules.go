package pace

import "time"

// The guards.

// reachable holds when a loss does not double the window: it is a first failure, or
// the last ping succeeded and is not older than two pings can be apart.
func reachable(s *Schedule) bool {
	pinged := !s.reachedAt.IsZero() && s.now.Sub(s.reachedAt) <= 2*s.pingInterval+pingGrace
	return s.window == 0 || pinged
}

// recovered holds when a success is the first one of an outage.
func recovered(s *Schedule) bool { return s.outage == down }

// The actions that plan an attempt.

// planFirst plans the first attempt of a run.
func planFirst(s *Schedule) { s.plan(firstWindow, s.windowEnd) }

// planWindow plans an attempt in the next window.
func planWindow(s *Schedule) { s.plan(s.window, s.windowEnd) }

// planAfterHealthy plans an attempt in a window of a second after the present one.
func planAfterHealthy(s *Schedule) { s.plan(promptWindow, s.windowEnd) }

// planPrompt plans an attempt within a second, without waiting out the window.
func planPrompt(s *Schedule) { s.plan(promptWindow, s.now) }

// planRefused plans an attempt in about ten minutes or, where a Retry-After asks for
// more, in a window after that.
func planRefused(s *Schedule) {
	wait := (1 + refusedSpread*(2*s.random()-1)) * float64(refusedWait)
	until := s.now.Add(time.Duration(wait))
	if until.After(s.notBefore) {
		s.due, s.windowEnd = until, until
		return
	}
	s.plan(s.base, s.notBefore)
}

// bringForward moves the planned attempt to within a second, unless it is due sooner.
func bringForward(s *Schedule) {
	due, windowEnd := s.due, s.windowEnd
	planPrompt(s)
	if !s.due.Before(due) {
		s.due, s.windowEnd = due, windowEnd
	}
}

// plan sets the next attempt to a random moment of a window that begins at the latest
// of the present, the given time and the Retry-After.
func (s *Schedule) plan(length time.Duration, from time.Time) {
	start := s.now
	for _, t := range []time.Time{from, s.notBefore} {
		if t.After(start) {
			start = t
		}
	}
	s.due = start.Add(time.Duration(s.random() * float64(length)))
	s.windowEnd = start.Add(length)
}

// The actions that change what the schedule remembers.

// endOutage notes that the stream is healthy. At most a second of its window is
// waited out.
func endOutage(s *Schedule) {
	s.outage, s.window = none, 0
	if end := s.due.Add(promptWindow); end.Before(s.windowEnd) {
		s.windowEnd = end
	}
}

func clearWindow(s *Schedule) { s.window = 0 }

func resetWindow(s *Schedule) { s.window = s.base }

func doubleWindow(s *Schedule) {
	s.window = min(2*s.window, max(maxWindow, s.base))
	s.outage = max(s.outage, down)
}

// endWindow ends the window of the present attempt now.
func endWindow(s *Schedule) { s.windowEnd = s.now }

func grant(s *Schedule) { s.outage = granted }

func noteSuccess(s *Schedule) { s.reachedAt = s.now }

func noteFailure(s *Schedule) {
	s.reachedAt = time.Time{}
	s.outage = max(s.outage, down)
}
