package verify

// maxInFlight is the most messages that may be in flight to the worker.
const maxInFlight = 4

// jobState is the state of a job in the control plane.
type jobState uint8

const (
	jobFresh    jobState = iota // queued, and never assigned to this worker
	jobQueued                   // requeued, or assigned to another worker
	jobAssigned                 // to this worker
	jobAccepted                 // by this worker, whether it knows or not
	jobRunning                  // on this worker
	jobFinished                 // ended
)

// onOffer reports whether the control plane expects this worker to start the job.
func (j jobState) onOffer() bool { return j == jobAssigned || j == jobAccepted }

// begun reports whether this worker has started the job. A replica of the control
// plane that lags behind may still offer it.
func (j jobState) begun() bool { return j == jobRunning || j == jobFinished }

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
	phaseNone     jobPhase = iota
	phaseAsking            // it retries the accept
	phaseRunning           // its process runs
	phaseFinished          // the end was acknowledged; the machine gets the event next
	phaseRejected          // it may not be started; the machine gets the event next
)

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

// world is the machine, its driver, the network, the control plane, and an
// observer.
type world struct {
	machine uint32 // number of its situation

	// The driver.
	trust    bool // the deadline of the next message is armed
	poll     pollTimer
	phase    jobPhase
	inHand   uint8 // number of the job
	polled   bool  // the job did not come by the stream
	noRetry  bool  // the accept is not retried
	canceled bool  // the job is canceled; the kill deadline is armed

	// The network.
	link    linkState
	channel [maxInFlight]uint8 // messages, the next one first
	queued  uint8              // messages in it
	ping    pingState
	only    bool // its answer assigned the job, and the stream does not offer it

	// The control plane.
	jobs     [maxJobs + 1]jobState // by number
	paused   bool
	stopping bool // it has disconnected the worker

	observer observer

	// What is used of the bounds, where there are any.
	losses, pauses uint8
}
