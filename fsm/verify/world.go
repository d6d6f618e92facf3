package verify

import "github.com/switchyard-ci/switchyard/fsm"

// maxInFlight is the most messages that may be in flight to the worker.
const maxInFlight = 4

// linkState is the state of the stream's connection.
type linkState uint8

const (
	linkOff    linkState = iota // the worker opened no stream
	linkSilent                  // being opened, or open and not served
	linkServed                  // the control plane serves it
	linkStuck                   // open, but nothing that the control plane sends arrives any more
)

// pingState is the state of the worker's ping.
type pingState uint8

const (
	pingNone pingState = iota
	pingSent
	pingIdle // answered, and the answer is in flight; so are the rest
	pingPause
	pingDisconnect
	pingJob // and pingJob+1, +2 for the jobs after the first
)

// jobPhase is what the driver does with the job in hand.
type jobPhase uint8

const (
	phaseNone       jobPhase = iota
	phaseAsking              // it asks for the job until it is answered
	phaseStarting            // it has a token, and asks to start until it is answered
	phaseRunning             // the process runs
	phaseDelivering          // the process has ended; it sends the result until it is answered
	phaseRejected            // the job may not be started; the machine gets the event next
	phaseLeaving             // the machine has stopped; the worker disconnects
)

// hasToken reports whether the worker has a token of the job in hand.
func (p jobPhase) hasToken() bool { return p >= phaseStarting && p <= phaseDelivering }

// pollTimer is the timer of the next ping.
type pollTimer uint8

const (
	pollUnarmed pollTimer = iota
	pollNow
	pollLater
)

// The messages of the stream. messageJob+1 and +2 are for the jobs after the
// first.
const (
	messageNone uint8 = iota
	messageResume
	messagePause
	messageDisconnect
	messageJob
)

// world is the machine, its driver and the agent around it, the network, what the
// control plane has stored, and an observer.
type world struct {
	machine uint32 // number of its situation

	// The driver.
	trust    bool // the deadline of the next message is armed
	poll     pollTimer
	phase    jobPhase
	inHand   uint8  // number of the job
	result   ending // of its process, while it is delivered
	polled   bool   // the job did not come by the stream
	noRetry  bool   // the accept is not retried
	canceled bool   // the job is canceled; the kill deadline is armed

	// The network.
	link    linkState
	channel [maxInFlight]uint8 // messages, the next one first
	queued  uint8              // messages in it
	ping    pingState
	only    bool // its answer assigned the job, and the stream does not offer it

	// What is stored.
	worker number              // the worker's record
	jobs   [maxJobs + 1]number // the records of the jobs
	spool  [maxJobs + 1]ending // the results in the agent's spool, not delivered yet

	ran      uint8 // one bit a job that has not ended: its process was started
	observer observer

	// What is used of the bounds, where there are any.
	losses, pauses uint8
}

// holds reports whether the worker, or its agent's spool, has something to report
// about a job.
func (w *world) holds(job uint8) bool {
	return w.inHand == job && w.phase.hasToken() || w.spool[job] != noEnding
}

// offered reports whether the worker has been offered a job and can still take it up,
// or an offer is in flight.
func (w *world) offered(job uint8, s *situation) bool {
	return w.inHand == job || s.holds(job) || w.inFlight(job)
}

// gone returns the world without the worker's process: what is stored, and its spool.
func (w *world) gone(machine uint32, phase jobPhase) world {
	return world{
		machine: machine, phase: phase, worker: w.worker, jobs: w.jobs, spool: w.spool, ran: w.ran,
		losses: w.losses, pauses: w.pauses,
	}
}

// situationGone is the situation of every machine that has stopped.
var situationGone = situation{state: fsm.Stopped}
