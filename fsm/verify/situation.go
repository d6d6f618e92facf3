package verify

import (
	"fmt"
	"slices"

	"github.com/switchyard-ci/switchyard/fsm"
)

// The epochs that every machine is in here. Only whether an epoch is older than
// the one in the facts, the same, or newer makes a difference, so situations
// store the distance of their epochs to these.
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

// Advance is a machine as a function, such as fsm.Table.Advance.
type Advance func(fsm.State, *fsm.Facts, fsm.Event) (fsm.State, fsm.Facts, []fsm.Effect, fsm.Decision)

// situation is the state and the facts of a machine in a comparable form, with
// relative epochs.
type situation struct {
	state      fsm.State
	stream     fsm.StreamStatus
	connection int8 // distance from the connection whose events come next
	paused     bool
	leaving    fsm.LeaveReason
	retiring   fsm.LeaveReason
	idle       bool // the idle timeout passed during the ping in flight
	job        uint8
	pinging    bool
	pingIsOld  bool
	mailbox    [maxJobs]uint8
	waiting    uint8 // IDs in the mailbox
	seen       uint8 // one bit a job
}

// holds reports whether a job waits in the mailbox.
func (s *situation) holds(job uint8) bool {
	return slices.Contains(s.mailbox[:s.waiting], job)
}

// connectionEpoch returns the connection that the facts name.
func (s *situation) connectionEpoch() fsm.Epoch {
	return fsm.Epoch(int64(nowConnection) + int64(s.connection)) //nolint:gosec // close to ten
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
		Connection:     s.connectionEpoch(),
		Paused:         s.paused,
		Leaving:        s.leaving,
		Retiring:       s.retiring,
		IdleExpired:    s.idle,
		Job:            jobIDs[s.job],
		Ping:           nowPing,
		Pinging:        s.pinging,
		PingIsOld:      s.pingIsOld,
		Mailbox:        fsm.MailboxOf(waiting...),
		Seen:           fsm.SeenOf(seen...),
	}
}

// situate is the inverse of facts; now is the connection whose events come next.
func situate(state fsm.State, f *fsm.Facts, now fsm.Epoch) situation {
	s := situation{
		state:      state,
		stream:     f.Stream,
		connection: int8(max(-2, min(2, int64(f.Connection)-int64(now)))), //nolint:gosec // clamped
		paused:     f.Paused,
		leaving:    f.Leaving,
		retiring:   f.Retiring,
		idle:       f.IdleExpired,
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

// input is an event of the current connection or ping, without its epoch.
type input struct {
	kind fsm.EventKind
	job  uint8
}

// inputs is the number of different inputs.
var inputs = len(fsm.EventKinds()) * (maxJobs + 1)

// index numbers the inputs, from 0.
func (in input) index() int { return int(in.kind)*(maxJobs+1) + int(in.job) }

// event returns the input as an event with epochs: those of the connection whose
// events come next, of the connection with an armed deadline, and of the ping.
func (in input) event(connection, armed, ping fsm.Epoch) fsm.Event {
	ev := fsm.Event{Kind: in.kind, Job: jobIDs[in.job]}
	switch in.kind.Class() {
	case fsm.ClassMessage, fsm.ClassConnectionEnd:
		ev.Epoch = connection
	case fsm.ClassTimer:
		if in.kind == fsm.TrustExpired {
			ev.Epoch = armed
		}
	case fsm.ClassAnswer:
		ev.Epoch = ping
	case fsm.ClassJobEnd, fsm.ClassRequest:
	}
	return ev
}

// eventIn returns the input as an event of a machine in situation s.
func (in input) eventIn(s *situation) fsm.Event {
	return in.event(nowConnection, s.connectionEpoch(), nowPing)
}

// answer is what a machine does in a situation on an input.
type answer struct {
	next    uint32 // number of the situation after it
	effects []fsm.Effect
	trust   bool   // the deadline that was armed before still counts
	broken  string // what is wrong with the answer itself
}

// situations numbers the situations that a machine reaches, and caches what it does in
// them. There are few of them, compared with the states of the world.
type situations struct {
	config  fsm.Config
	advance Advance

	numbers map[situation]uint32
	all     []situation
	idle    []bool         // the machine counts as idle
	broken  []string       // what is wrong with a situation itself
	others  [][]uint32     // by renaming, the numbers of the renamed situations, plus one
	rows    map[string]int // in how many situations each row was taken
	answers [][]*answer
}

func newSituations(c fsm.Config, advance Advance) *situations {
	return &situations{config: c, advance: advance, numbers: map[situation]uint32{}, rows: map[string]int{}}
}

// number returns the number of a situation, and checks it when it is new.
func (m *situations) number(s situation) uint32 {
	n, known := m.numbers[s]
	if !known {
		n = uint32(len(m.all)) //nolint:gosec // some thousands
		m.numbers[s] = n
		m.all = append(m.all, s)
		m.answers = append(m.answers, make([]*answer, inputs))
		m.broken = append(m.broken, m.checkStale(&s))
		f := s.facts(m.config)
		m.idle = append(m.idle, f.Idle(s.state))
	}
	return n
}

// step returns the answer to an input in a situation.
func (m *situations) step(number uint32, in input) *answer {
	i := in.index()
	if a := m.answers[number][i]; a != nil {
		return a
	}
	s := m.all[number]
	before := s.facts(m.config)
	state, after, effects, d := m.advance(s.state, &before, in.eventIn(&s))
	now := nowConnection
	if in.kind.Class() == fsm.ClassConnectionEnd {
		now++
	}
	a := &answer{
		effects: effects,
		trust:   after.Connection == before.Connection && after.Stream.Trusted(),
	}
	a.next = m.number(situate(state, &after, now))
	switch {
	case d.Row != nil:
		m.rows[rowKey(d.Row)]++
	case d.Ignored == "":
		a.broken = fmt.Sprintf("the table has no answer to %v in %v", in.kind, s.state)
	}
	m.answers[number][i] = a
	return a
}

// checkStale steps the machine with events of connections, pings and jobs that
// are over, and returns what changed, or "": nothing should.
func (m *situations) checkStale(s *situation) string {
	if s.state == fsm.Initial {
		return ""
	}
	for _, ev := range staleEvents(s) {
		before := s.facts(m.config)
		state, after, effects, _ := m.advance(s.state, &before, ev)
		if state != s.state || len(effects) > 0 || situate(state, &after, nowConnection) != *s {
			return fmt.Sprintf("a stale event changed something: %v in %v", ev, s.state)
		}
	}
	return ""
}

// staleEvents returns events of every kind that is about a connection, a ping or
// a job, each about one that is over.
func staleEvents(s *situation) []fsm.Event {
	const oldConnection = nowConnection - 1
	ping := nowPing
	if s.pinging {
		ping--
	}
	var events []fsm.Event
	for _, kind := range fsm.EventKinds() {
		for job := uint8(0); job <= maxJobs; job++ {
			jobEnd := kind.Class() == fsm.ClassJobEnd
			namesJob := jobEnd || kind == fsm.ReceivedJob || kind == fsm.AnsweredJob
			ev := input{kind, job}.event(oldConnection, oldConnection, ping)
			if namesJob == (job != 0) && (ev.Epoch != 0 || jobEnd && job != s.job) {
				events = append(events, ev)
			}
		}
	}
	if !s.stream.Trusted() {
		// The deadline has passed, or the connection was lost, and it fires all the same.
		events = append(events, fsm.Event{Kind: fsm.TrustExpired, Epoch: nowConnection})
	}
	return events
}
