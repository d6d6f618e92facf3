// Package verify checks the table of package fsm exhaustively: it explores every
// state that a machine can reach together with a model of its environment, and
// looks for one in which a property of the design does not hold.
//
// # The world
//
// The control plane assigns jobs, requeues them, assigns them again, offers on
// every new stream the jobs that it expects this worker to start, pauses, resumes
// and disconnects. A replica of it that lags behind may offer a job that was
// already started. The stream is served or not; it is lost with messages in
// flight, ends as planned, is refused, or becomes silent and stays open. The answer to a ping is
// true when the ping reaches the control plane, and may be out of date when it
// arrives; or the ping fails, or is refused. The accept of a job is
// granted, and the answer lost and requested again, or it is denied; the job
// starts and ends, or is canceled. Deadlines pass whenever they are armed, and
// requests to leave come at any time.
//
// The number of jobs and of messages in flight is bounded; how often anything
// happens is not. Epochs are stored relative to the current ones, so the space is
// finite without a bound on losses, pauses or time.
//
// Two things are left out. The end of a connection reaches the machine when it
// happens, because a later end looks the same as one after the messages that
// arrive before it. And a worker gives up an accept by itself only to leave: when
// thirty attempts in a row have failed, the deadline of the control plane has
// passed, and the next answer is a refusal.
//
// Each kind of worker is explored a second time, with a control plane that lies: it
// sends any message and any answer at any time. Safety is the same; a worker that may
// poll does when the stream becomes silent, and one that was asked to leave does.
//
// # The properties
//
// Safety, in every state and at every step: each property is a line of
// properties.go or step.go. They are checked against an observer, which knows the
// events and the effects of a worker but not the machine's own facts.
//
// Liveness, from every state: if the environment works from now on, every job on
// offer is started, the stream takes control, and a worker that must leave does.
// That holds when streams and pings work, and, for jobs and leaving, when only
// one of them does: when streams fail, or stay open and never send a message again,
// and when pings fail, or are refused; see liveness.go.
//
// A violation comes with a shortest path to it, as a scenario that package replay
// runs.
//
// # Mutants
//
// The tests show that the properties can fail. They change the table, and the
// rules in the machine's facts, in one thing at a time; the properties must
// detect each change, unless testdata/mutation.txt explains why there is nothing
// to detect.
package verify
