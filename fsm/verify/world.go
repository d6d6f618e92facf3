package verify

// maxInFlight is the most messages that may be on their way to the worker on
// the stream.
const maxInFlight = 4

// jobState is what the control plane believes of a job.
type jobState uint8

const (
	jobFresh    jobState = iota // queued, and never assigned to this worker
	jobQueued                   // no longer this worker's: queued again, or given elsewhere
	jobAssigned                 // to this worker
	jobAccepted                 // by this worker, whether it knows or not
	jobRunning                  // on this worker
	jobFinished                 // over
)

// onOffer tells whether the control plane waits for this worker to start it.
func (j jobState) onOffer() bool { return j == jobAssigned || j == jobAccepted }

// begun tells whether it was started by this worker. A replica of the control
// plane that lags behind may not know yet, and offer it all the same.
func (j jobState) begun() bool { return j == jobRunning || j == jobFinished }

// linkState is the connection of the stream.
type linkState uint8

const (
	linkOff    linkState = iota // the worker opened no stream
	linkSilent                  // being opened, or open and not served
	linkServed                  // the control plane serves it
)

// pingState is the ping of the worker.
type pingState uint8

const (
	pingNone pingState = iota
	pingSent
	pingIdle // answered, and the answer is on its way; so are the rest
	pingPause
	pingDisconnect
	pingJob // and pingJob+1, +2 for the jobs after the first
)

// jobPhase is what the driver is at with the job in hand.
type jobPhase uint8

const (
	phaseNone     jobPhase = iota
	phaseAsking            // an accept is asked for, again and again
	phaseRunning           // its process runs
	phaseFinished          // its end was acknowledged; the machine is about to be told
	phaseRejected          // it may not be started; the same
)

// pollTimer is the timer of the next ping.
type pollTimer uint8

const (
	pollUnarmed pollTimer = iota
	pollNow
	pollLater
)

// The messages on their way to the worker on the stream. messageJob+1 and +2
// stand for the jobs after the first.
const (
	messageNone uint8 = iota
	messageResume
	messagePause
	messageDisconnect
	messageJob
)

// world is everything that there is: the machine, what its driver is at, the
// network, the control plane, and an observer.
type world struct {
	machine uint32 // number of its situation

	// The driver.
	trust      bool // the first-message deadline is armed
	poll       pollTimer
	phase      jobPhase
	inHand     uint8 // number of the job
	polled     bool  // it was not the stream that brought it
	notAskMore bool  // the accept is not to be asked for again
	cancelled  bool  // the job is to end; the kill deadline is armed

	// The network.
	link    linkState
	channel [maxInFlight]uint8 // messages, the next one first
	queued  uint8              // messages in it
	ping    pingState
	only    bool // the job that it was answered with was assigned by the answer, and the stream does not repeat it

	// The control plane.
	jobs     [maxJobs + 1]jobState // by number
	paused   bool
	stopping bool // it has told the worker to leave

	observer observer

	// What is used up of the bounds, where there are any.
	losses, pauses uint8
}

// packed is a world in two words. See pack.
type packed [2]uint64

// packer writes or reads fields of a word from its low end.
type packer struct {
	word uint64
	at   uint
}

func (p *packer) put(v uint64, bits uint) {
	p.word |= v << p.at
	p.at += bits
}

func (p *packer) flag(v bool) {
	if v {
		p.word |= 1 << p.at
	}
	p.at++
}

func (p *packer) get(bits uint) uint8 {
	v := p.word >> p.at & (1<<bits - 1)
	p.at += bits
	return uint8(v) //nolint:gosec // bits is at most eight
}

func (p *packer) is() bool { return p.get(1) == 1 }
