// Package fsm controls one worker as an explicit finite-state machine: which
// side owns the worker, the stream or the poller, and what work is in hand.
//
// # Overview
//
// A worker holds a stream open to its control plane, and receives work over it.
// While the stream is not healthy, the worker polls. When the stream is healthy
// again it takes control back, but never during a job or a ping:
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
// The package is pure: it has no clock, no network and no locks. Events go in,
// effects come out, and the caller performs the effects:
//
//	config := fsm.Config{Mode: fsm.Auto}
//	m, err := fsm.New(config)
//	...
//	for ev := config.Start(); ; ev = <-events { // one goroutine, the only caller of Step
//		effects, err := m.Step(ev)
//		...
//		for _, e := range effects {
//			perform(e) // never blocks; its result is an event
//		}
//	}
//
// A deadline is an effect that arms it, and an event when it passes. Each message of
// the stream arms the deadline of the next one, without an effect.
//
// # Structure
//
// Facts are what the machine knows besides its state. An event changes them in
// the same way in every state (applyEvent). Then the first row of the table for
// this state and event whose guard holds is taken; its actions change facts and
// append effects. An event that a state ignores is listed in ignored, with the
// reason. Table.Next chooses the row and is a pure function; Machine has
// looplab/fsm perform the change of state.
//
// # Rules
//
//   - A job is started at most once, however often it is offered.
//   - A pause delays jobs and drops none.
//   - Nothing revokes a disconnect.
//   - A change of control never abandons a job or a ping in hand.
//   - The stream's messages are newer than the answer to a ping sent before them.
//   - A stream is trusted until a message is late: the first one of a connection, or
//     the one after the last. The connection stays open, and its next message counts.
//   - A planned end of the stream is not a loss; an end without a message is.
//   - A failed ping changes nothing.
//   - Every wait has a deadline.
package fsm
