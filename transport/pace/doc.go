// Package pace decides when an agent opens its stream again. It is a small state
// machine: table.go has its rows, and a test lists the events that change nothing, with the
// reason. It has no clock, starts no goroutine and does no I/O; the time is an
// argument.
//
// # Windows
//
// An attempt is made at a uniformly random moment of a window, and the rest of the
// window is waited out before the next one begins, so that the agents of a fleet do
// not connect at the same moment. The first window of a process is 100 ms long. The
// first window after a healthy stream is a second. Further windows are the ping
// interval, at least ten seconds unless nobody polls, and double up to 64 seconds
// while nothing can be reached.
//
// # Evidence
//
// While pings succeed the window does not double. The first ping that succeeds after
// a failure brings one attempt forward to within a second, once for each outage of
// the stream. A Retry-After is a lower bound for each wait.
//
// # Refusal
//
// A refused stream is tried again after ten minutes, give or take a fifth.
package pace
