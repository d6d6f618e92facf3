// Package fsm is the control of one worker, as one explicit finite-state
// machine: who owns the worker, the stream or the poller, and what work is in
// hand.
//
// A worker holds a stream open to its control plane and is handed work over it.
// When the stream is sick the worker polls; when the stream is well again it
// takes control back, but never in the middle of something:
//
//	               lost, refused, silent            ping due
//	 StreamHealthy ---------------------> FallingBack ------> PollingBusy
//	   |   ^    ^                          |  ^  ^               |   ^
//	job|   |over|                  message |  |  +---------------+   | lost
//	   v   |    +--------------------------+  |  answer, job over    v
//	  Running --------------------------------+              Reclaiming
//	          job over, and the stream is not trusted          |
//	 StreamHealthy, Running <----------------------------------+
//	                         answer, job over: the stream takes over
//
// The package is pure. Events go in, effects come out, and the caller carries
// the effects out:
//
//	m, err := fsm.New(fsm.Config{Mode: fsm.Auto})
//	...
//	for ev := range events { // one goroutine, the only caller of Step
//		effects, err := m.Step(ev)
//		...
//		for _, e := range effects {
//			perform(e) // never blocks; what comes of it is an event
//		}
//	}
//
// It knows no time, no network and no lock: a deadline is an effect that arms
// it and an event that comes when it passes.
//
// # How it is built
//
// Facts are what the machine knows besides its state. An event changes them in
// one way, whatever the state (heard); then the table is asked, whose rows are
// the machine: the first row of the state and the event whose guard holds is
// taken. What a state does not answer is listed with the reason, in ignored.
// Next picks the row and is a pure function; Machine lets looplab/fsm carry the
// change of state out.
//
// # Rules
//
// A job is started at most once, however often it is named. A pause holds jobs
// back and drops none. A disconnect is never unsaid. A job or a ping in hand is
// never abandoned for a change of control. The stream's word is newer than that
// of a ping sent before it. A planned end of the stream is no loss, an end
// without a message is one. No news is not news. Every wait has a deadline.
package fsm
