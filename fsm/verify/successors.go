package verify

import (
	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/verify/explore"
)

// The environments. In each of them the worker must reach its goals.
const (
	// allWorks: streams are served and send messages, pings are answered.
	allWorks explore.Environments = 1 << iota
	// streamsFail: pings are answered; no stream ever sends a message, and those
	// that did are lost.
	streamsFail
	// pingsFail: streams are served; every ping fails.
	pingsFail
	// streamsSilent: pings are answered; no stream ever sends a message again,
	// and none ends.
	streamsSilent
	// pingsRefused: streams are served; every ping is refused.
	pingsRefused
	// agentsGone: as allWorks, but agents that have ended do not start again.
	agentsGone

	noEnvironment = explore.Disturbance
	restarting    = allWorks | streamsFail | pingsFail | streamsSilent | pingsRefused
	every         = restarting | agentsGone
	pingsWork     = allWorks | streamsFail | streamsSilent | agentsGone
	streamsWork   = allWorks | pingsFail | pingsRefused | agentsGone
)

// successor is a world that may come next.
type successor struct {
	move   move
	in     explore.Environments // in which the move is made
	world  world
	broken string // the property that does not hold in the step or after it
}

// generator makes the successors of worlds.
type generator struct {
	bounds     Bounds
	may        disturbances
	liar       bool // the control plane lies
	situations *situations
	jobs       *jobRecords
	workers    *workerRecords
	renamings  []renaming // under which worlds are the same

	from   *world
	next   []successor
	packed []explore.Successor[packed, move]
}

// Successors returns every state that may come next, in a slice that is valid until
// the next call.
func (x *generator) Successors(p packed) []explore.Successor[packed, move] {
	var w world
	w.unpack(p)
	x.packed = x.packed[:0]
	next := x.successors(&w)
	for i := range next {
		n := &next[i]
		x.settle(&n.world)
		state := n.world.pack()
		x.packed = append(x.packed, explore.Successor[packed, move]{
			State: state, Canonical: x.canonical(&n.world, state), Move: n.move, In: n.in, Broken: n.broken,
		})
	}
	return x.packed
}

// settle forgets what makes no difference any more: tokens that nobody has, results
// whose token is not valid, and who started a job that has ended.
func (x *generator) settle(w *world) {
	for job := uint8(1); job <= x.bounds.Jobs; job++ {
		if !x.jobs.facts[w.jobs[job]].spooled {
			w.spool[job] = noEnding // it is refused sooner or later, and nothing else
		}
		w.jobs[job] = x.jobs.keep(w.jobs[job], w.inHand == job && w.phase.hasToken(), w.spool[job] != noEnding)
		if w.jobs[job] == x.jobs.done {
			w.ran &^= 1 << job
		}
	}
}

// job returns what is stored of a job.
func (x *generator) job(job uint8) *jobFacts { return &x.jobs.facts[x.from.jobs[job]] }

// state returns the state of the machine.
func (x *generator) state() fsm.State { return x.situations.all[x.from.machine].state }

// alive reports whether the worker's process is there.
func (x *generator) alive() bool { return x.state() != fsm.Stopped }

// add makes a successor of from, which the caller changes.
func (x *generator) add(kind moveKind, arg uint8, in explore.Environments) *successor {
	x.next = append(x.next, successor{move: makeMove(kind, arg), in: in, world: *x.from})
	return &x.next[len(x.next)-1]
}

// event makes a successor in which the machine takes an event, after change.
func (x *generator) event(kind moveKind, arg uint8, in explore.Environments, change func(*world)) {
	s := x.add(kind, arg, in)
	event, _ := s.move.input(x.from)
	if change != nil {
		change(&s.world)
	}
	s.broken = x.apply(&s.world, event)
	if s.broken == "" && x.situations.all[s.world.machine].state == fsm.Stopped {
		s.world = s.world.gone(x.situations.number(situationGone), phaseLeaving)
	}
}

// successors returns every world that may follow, in a slice that is valid
// until the next call.
func (x *generator) successors(w *world) []successor {
	x.next, x.from = x.next[:0], w
	switch {
	case x.state() == fsm.Initial:
		x.event(moveStart, x.acquired(), every, nil)
	case x.liar && x.alive():
		x.lies()
		x.timers()
		x.requests()
	case x.liar:
	case x.alive():
		x.controlPlane()
		x.stream()
		x.ping()
		x.work()
		x.timers()
		x.requests()
		x.deliveries()
		x.crashes()
	default:
		x.controlPlane()
		x.ends()
	}
	return x.next
}

// acquired returns the job of a worker in mode acquire, or 0.
func (x *generator) acquired() uint8 { return jobNumber(x.situations.config.AcquireJob) }

// timers fire at any time while they are armed. A stream that is up and works sends
// keep-alives: its deadline passes only where streams become silent.
func (x *generator) timers() {
	if x.from.trust {
		in := every
		if x.from.observer.stream == fsm.StreamUp {
			in = streamsSilent
		}
		x.event(moveTrust, 0, in, func(w *world) { w.trust = false })
	}
	if x.from.poll != pollUnarmed {
		x.event(movePoll, 0, every, func(w *world) { w.poll = pollUnarmed })
	}
}

// requests come at any time.
func (x *generator) requests() {
	for _, kind := range []moveKind{moveDrain, moveForce, moveSession, moveIdle, moveUptime} {
		x.event(kind, 0, noEnvironment, nil)
	}
}
