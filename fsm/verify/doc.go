// Package verify checks the table of package fsm exhaustively: it explores every
// state that a machine can come to together with a model of the rest of the
// world, and looks for one in which a property of the design does not hold.
//
// # The world
//
// The control plane assigns jobs, puts them back, assigns them again, offers on
// every new stream what it believes this worker should start, pauses, resumes
// and disconnects. A replica of it that lags behind may offer a job that was
// started already. The stream is served or not; it is lost with messages on
// their way, ends as planned, is refused, or says nothing. A ping is answered by
// what is true when it reaches the control plane, and the answer may be out of
// date when it arrives; or it fails, or is refused. A job's accept is granted
// and the answer lost and asked for again, or denied; the job begins and ends,
// or is cancelled. Deadlines pass whenever they are armed, and requests to leave
// come at any time.
//
// The number of jobs and of messages on their way is bounded; how often anything
// happens is not. Epochs are counted from now, so the space is finite all the
// same: there is no bound on losses, pauses or time, unless one is asked for.
//
// Two things are left out on purpose. An end of a connection is told to the
// machine when it happens, since to be told later is not to be told apart from
// messages that arrive before it. And a worker gives an accept up by itself only
// to leave: where thirty tries in a row find no control plane, the deadline of
// the control plane has long passed, and the next answer is a refusal.
//
// # The properties
//
// Safety, in every state and at every step: see properties.go and tell.go, where
// each property is a line. They are judged by what an onlooker knows who hears
// what the worker hears (observer), not by what the machine believes.
//
// Liveness, from every state: if the world behaves from now on, every job on
// offer is started, the stream takes control, and a worker that is to leave
// does. That holds with streams and pings that work, and for jobs and leaving
// with either alone too; see liveness.go.
//
// A violation comes with the shortest way to it, as a scenario that package
// replay runs.
//
// # That it can fail
//
// Mutants returns changes of the table, and of the rules that live in its facts;
// the properties must catch each, or it must be said why there is nothing to
// catch. The score is kept in testdata/mutation.txt.
package verify
