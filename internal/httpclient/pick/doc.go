// Package pick decides which of several candidates is tried first: endpoints of a
// control plane, or addresses of one name. It is a small state machine; table.go has its
// rows. It has no clock, starts no goroutine and does no I/O; the time is an argument.
//
// A candidate that fails is set aside for a while, so that it does not slow down every
// call. The others are tried before it. While all are aside, the one whose time ends
// first is tried first, so that they take turns.
package pick
