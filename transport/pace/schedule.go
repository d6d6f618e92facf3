package pace

import (
	"slices"
	"time"
)

const (
	// firstWindow is the window of a process's first attempt. It spreads the streams of one
	// process; the processes themselves have just sent other requests, which nothing spreads.
	firstWindow = 10 * time.Millisecond
	// promptWindow is the window after a healthy stream, and of an attempt that is
	// brought forward.
	promptWindow = time.Second
	// minWindow is the shortest further window where somebody polls.
	minWindow = 10 * time.Second
	// maxWindow is where doubling ends.
	maxWindow = 64 * time.Second

	// refusedWait is how long a refused stream is not tried, give or take the
	// fraction refusedSpread of it.
	refusedWait   = 10 * time.Minute
	refusedSpread = 0.2

	// pingGrace is how long a ping may take to be answered.
	pingGrace = 10 * time.Second
)

// outage is what pings and attempts show about an outage of the stream.
type outage int

const (
	none    outage = iota // nothing has failed since the stream was healthy
	down                  // a ping has failed, or the window has doubled
	granted               // the prompt attempt of this outage was granted
)

// Schedule is when the stream is opened next. It is not safe for concurrent use.
type Schedule struct {
	pingInterval time.Duration
	random       func() float64
	state        State
	outage       outage

	now  time.Time     // of the event that is being processed
	base time.Duration // of further windows, before any doubling

	due       time.Time     // when the next attempt is made, or the present one was
	windowEnd time.Time     // when the window of that attempt ends
	window    time.Duration // length of the last further window; zero before a first failure
	notBefore time.Time     // by Retry-After
	reachedAt time.Time     // when the last ping succeeded; zero if it failed
}

// New returns a schedule in the state Idle, for pings at an interval. The function
// returns uniform random numbers in [0, 1).
func New(pingInterval time.Duration, random func() float64) *Schedule {
	return &Schedule{pingInterval: pingInterval, random: random}
}

// State returns the present state.
func (s *Schedule) State() State { return s.state }

// Due returns the moment of the next attempt. It is valid while one is planned.
func (s *Schedule) Due() time.Time { return s.due }

// Start processes Started. StreamOnly means that nobody polls: further windows then
// have the ping interval, even if it is shorter than ten seconds.
func (s *Schedule) Start(now time.Time, streamOnly bool) {
	s.base = max(minWindow, s.pingInterval)
	if streamOnly {
		s.base = s.pingInterval
	}
	s.Step(now, Started)
}

// End processes the end of an attempt, after which the control plane wants no other
// attempt for the given time; zero if it does not say.
func (s *Schedule) End(now time.Time, event Event, retryAfter time.Duration) {
	if slices.Contains(attempting, s.state) {
		s.notBefore = now.Add(retryAfter)
	}
	s.Step(now, event)
}

// Step processes an event and reports whether the moment of the planned attempt has
// changed.
func (s *Schedule) Step(now time.Time, event Event) bool {
	s.now = now
	before := s.due
	for _, r := range table {
		if r.on != event || !slices.Contains(r.from, s.state) || r.when != nil && !r.when(s) {
			continue
		}
		for _, do := range r.do {
			do(s)
		}
		if r.to != stay {
			s.state = r.to
		}
		break
	}
	return !s.due.Equal(before)
}
