package verify

import (
	"fmt"
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// The epochs that every machine is given here. Only whether an epoch is older
// than what the facts know, the same, or newer makes a difference, so what a
// machine is compared by is the distance of its facts to these.
const (
	nowConnection fsm.Epoch = 10
	nowPing       fsm.Epoch = 10
)

// maxJobs is the most jobs that can be explored; job numbers are 1 to maxJobs,
// and 0 is none.
const maxJobs = 3

var jobIDs = [maxJobs + 1]fsm.JobID{"", "J1", "J2", "J3"}

func jobNumber(id fsm.JobID) uint8 {
	for i, known := range jobIDs {
		if known == id {
			return uint8(i)
		}
	}
	return 0
}

// Advance is a machine as a function: fsm.Table.Advance, or one that differs
// from it on purpose.
type Advance func(fsm.State, *fsm.Facts, fsm.Event) (fsm.State, fsm.Facts, []fsm.Effect, fsm.Decision)

// situation is the state and the facts of a machine, small and comparable, with
// epochs by their distance from now.
type situation struct {
	state      fsm.State
	stream     fsm.StreamStatus
	connection int8 // distance from the connection whose news comes next
	paused     bool
	leaving    fsm.LeaveReason
	retiring   fsm.LeaveReason
	job        uint8
	pinging    bool
	pingIsOld  bool
	mailbox    [maxJobs]uint8
	waiting    uint8 // ids in the mailbox
	seen       uint8 // one bit a job
}

// holds tells whether a job waits in the mailbox.
func (s *situation) holds(job uint8) bool {
	return slices.Contains(s.mailbox[:s.waiting], job)
}

// facts returns the facts of the situation, with the fixed ones of the
// configuration.
func (s *situation) facts(c fsm.Config) fsm.Facts {
	waiting, seen := make([]fsm.JobID, 0, maxJobs), make([]fsm.JobID, 0, maxJobs)
	for _, job := range s.mailbox[:s.waiting] {
		waiting = append(waiting, jobIDs[job])
	}
	for job := uint8(1); job <= maxJobs; job++ {
		if s.seen&(1<<job) != 0 {
			seen = append(seen, jobIDs[job])
		}
	}
	return fsm.Facts{
		Mode:           c.Mode,
		RetireAfterJob: c.RetireAfterJob,
		Stream:         s.stream,
		Connection:     fsm.Epoch(int64(nowConnection) + int64(s.connection)), //nolint:gosec // close to ten
		Paused:         s.paused,
		Leaving:        s.leaving,
		Retiring:       s.retiring,
		Job:            jobIDs[s.job],
		Ping:           nowPing,
		Pinging:        s.pinging,
		PingIsOld:      s.pingIsOld,
		Mailbox:        fsm.MailboxOf(waiting...),
		Seen:           fsm.SeenOf(seen...),
	}
}

// situate is the inverse of facts; now is the connection whose news comes next.
func situate(state fsm.State, f *fsm.Facts, now fsm.Epoch) situation {
	s := situation{
		state:      state,
		stream:     f.Stream,
		connection: int8(max(-2, min(2, int64(f.Connection)-int64(now)))), //nolint:gosec // clamped
		paused:     f.Paused,
		leaving:    f.Leaving,
		retiring:   f.Retiring,
		job:        jobNumber(f.Job),
		pinging:    f.Pinging,
		pingIsOld:  f.Pinging && f.PingIsOld, // sending a ping resets it
	}
	for _, id := range f.Mailbox.IDs()[:min(f.Mailbox.Len(), maxJobs)] {
		s.mailbox[s.waiting] = jobNumber(id)
		s.waiting++
	}
	for job := uint8(1); job <= maxJobs; job++ {
		if f.Seen.Has(jobIDs[job]) {
			s.seen |= 1 << job
		}
	}
	return s
}

// happening is an event without its epoch, which is always the current one.
type happening struct {
	kind fsm.EventKind
	job  uint8
}

const happenings = (int(fsm.UptimeExpired) + 1) * (maxJobs + 1)

func (h happening) index() int { return int(h.kind)*(maxJobs+1) + int(h.job) }

// endsConnection tells whether the happening is the last one of a connection.
func (h happening) endsConnection() bool {
	return h.kind == fsm.StreamEnded || h.kind == fsm.StreamLost || h.kind == fsm.StreamRefused
}

// event is the happening as the machine is told it in a canonical situation.
func (h happening) event(s *situation) fsm.Event {
	ev := fsm.Event{Kind: h.kind, Job: jobIDs[h.job]}
	switch h.kind { //nolint:exhaustive // the rest has no epoch
	case fsm.ReceivedResume, fsm.ReceivedPause, fsm.ReceivedDisconnect, fsm.ReceivedJob,
		fsm.StreamEnded, fsm.StreamLost, fsm.StreamRefused:
		ev.Epoch = nowConnection
	case fsm.TrustExpired:
		// An armed deadline is that of what the facts know.
		ev.Epoch = fsm.Epoch(int64(nowConnection) + int64(s.connection)) //nolint:gosec // close to ten
	case fsm.AnsweredIdle, fsm.AnsweredPause, fsm.AnsweredDisconnect, fsm.AnsweredJob, fsm.PollFailed, fsm.PollRefused:
		ev.Epoch = nowPing
	}
	return ev
}

// answer is what a machine does in a situation on a happening.
type answer struct {
	next    uint32 // number of the situation after it
	effects []fsm.Effect
	trust   bool   // the deadline that was armed before it still counts
	broken  string // what the answer itself shows to be wrong
}

// machines numbers the situations that are met, and remembers the answers in
// them. There are few of them, compared with the states of the world around.
type machines struct {
	config  fsm.Config
	advance Advance

	numbers    map[situation]uint32
	situations []situation
	broken     []string // what a situation itself shows to be wrong
	answers    [][]*answer
	rows       map[string]int // how many situations took a row
	pairs      map[string]int // the same, for what is ignored
}

func newMachines(c fsm.Config, advance Advance) *machines {
	return &machines{
		config: c, advance: advance,
		numbers: map[situation]uint32{}, rows: map[string]int{}, pairs: map[string]int{},
	}
}

// number returns the number of a situation, and looks at it closely when it is
// new.
func (m *machines) number(s situation) uint32 {
	n, known := m.numbers[s]
	if !known {
		n = uint32(len(m.situations)) //nolint:gosec // there are some thousands
		m.numbers[s] = n
		m.situations = append(m.situations, s)
		m.answers = append(m.answers, make([]*answer, happenings))
		m.broken = append(m.broken, m.staleNews(&s))
	}
	return n
}

// step returns the answer to a happening in a situation.
func (m *machines) step(number uint32, h happening) *answer {
	i := h.index()
	if a := m.answers[number][i]; a != nil {
		return a
	}
	s := m.situations[number]
	before := s.facts(m.config)
	state, after, effects, d := m.advance(s.state, &before, h.event(&s))
	now := nowConnection
	if h.endsConnection() {
		now++
	}
	a := &answer{
		effects: effects,
		trust:   after.Connection == before.Connection && after.Stream == fsm.StreamUnknown,
	}
	a.next = m.number(situate(state, &after, now))
	switch {
	case d.Row != nil:
		m.rows[rowKey(d.Row)]++
	case d.Ignored != "":
		m.pairs[s.state.String()+" / "+h.kind.String()]++
	default:
		a.broken = fmt.Sprintf("the table has no answer to %v in %v", h.kind, s.state)
	}
	m.answers[number][i] = a
	return a
}

func rowKey(r *fsm.Row) string { return r.From.String() + " / " + r.Name() }

// staleNews tells the machine news of connections, pings and jobs that are
// over, and returns what it did about them, which should be nothing at all.
func (m *machines) staleNews(s *situation) string {
	if s.state == fsm.Initial {
		return ""
	}
	for _, ev := range staleEvents(s) {
		before := s.facts(m.config)
		state, after, effects, _ := m.advance(s.state, &before, ev)
		if state != s.state || len(effects) > 0 || situate(state, &after, nowConnection) != *s {
			return fmt.Sprintf("news of something that is over changed something: %v in %v", ev, s.state)
		}
	}
	return ""
}

func staleEvents(s *situation) []fsm.Event {
	const old = nowConnection - 1
	events := []fsm.Event{
		{Kind: fsm.ReceivedResume, Epoch: old},
		{Kind: fsm.ReceivedPause, Epoch: old},
		{Kind: fsm.ReceivedDisconnect, Epoch: old},
		{Kind: fsm.TrustExpired, Epoch: old},
		{Kind: fsm.StreamEnded, Epoch: old},
		{Kind: fsm.StreamLost, Epoch: old},
		{Kind: fsm.StreamRefused, Epoch: old},
	}
	if s.stream != fsm.StreamUnknown {
		// A deadline that was met, or has passed, and fires all the same.
		events = append(events, fsm.Event{Kind: fsm.TrustExpired, Epoch: nowConnection})
	}
	ping := nowPing
	if s.pinging {
		ping--
	}
	for kind := fsm.AnsweredIdle; kind <= fsm.PollRefused; kind++ {
		events = append(events, fsm.Event{Kind: kind, Epoch: ping, Job: jobIDs[1]})
	}
	for job := uint8(1); job <= maxJobs; job++ {
		events = append(events, fsm.Event{Kind: fsm.ReceivedJob, Epoch: old, Job: jobIDs[job]})
		if job != s.job {
			events = append(events,
				fsm.Event{Kind: fsm.JobFinished, Job: jobIDs[job]}, fsm.Event{Kind: fsm.JobRejected, Job: jobIDs[job]})
		}
	}
	return events
}
