package pick

import (
	"slices"
	"time"
)

const (
	// firstWait is how long a candidate is set aside when it fails for the first time.
	// It doubles up to maxWait each time that the candidate was due and failed again.
	firstWait = 15 * time.Second
	maxWait   = 2 * time.Minute

	// maxKnown is how many candidates are remembered: the addresses of a name may change
	// without end.
	maxKnown = 256
)

// Pick is what is known about candidates, each named by a string. The zero value is
// ready. It is not safe for concurrent use.
type Pick struct {
	known map[string]*candidate
}

// candidate is what is known about one candidate.
type candidate struct {
	state State
	wait  time.Duration // for which it was last set aside
	until time.Time     // when that ends
}

// Step notes an event of a candidate.
func (p *Pick) Step(now time.Time, name string, event Event) {
	c := p.known[name]
	if c == nil {
		if event == Succeeded {
			return // as nothing known
		}
		p.makeRoom()
		c = &candidate{}
		p.known[name] = c
	}
	for _, r := range table {
		if r.from == c.state && r.on == event && r.when(c, now) {
			r.do(c, now)
			c.state = r.to
			break
		}
	}
	if c.state == Usable {
		delete(p.known, name)
	}
}

// makeRoom forgets the candidate whose time ended first, if there are too many.
func (p *Pick) makeRoom() {
	if p.known == nil {
		p.known = map[string]*candidate{}
	}
	if len(p.known) < maxKnown {
		return
	}
	oldest, until := "", time.Time{}
	for name, c := range p.known {
		if oldest == "" || c.until.Before(until) {
			oldest, until = name, c.until
		}
	}
	delete(p.known, oldest)
}

// Aside reports whether a candidate is set aside at that time.
func (p *Pick) Aside(now time.Time, name string) bool {
	c := p.known[name]
	return c != nil && now.Before(c.until)
}

// Order returns the candidates in the order in which to try them: those that are not set
// aside, in the given order, and then the others, by the time at which that ends.
func (p *Pick) Order(now time.Time, candidates []string) []string {
	ordered := slices.Clone(candidates)
	slices.SortStableFunc(ordered, func(a, b string) int { return p.rank(now, a).Compare(p.rank(now, b)) })
	return ordered
}

// rank returns until when a candidate is set aside, or the zero time.
func (p *Pick) rank(now time.Time, name string) time.Time {
	if p.Aside(now, name) {
		return p.known[name].until
	}
	return time.Time{}
}
