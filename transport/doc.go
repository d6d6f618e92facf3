// Package transport is the agent's side of the Buildkite agent protocol: the calls
// (register, connect, ping, accept, and so on), the stream of instructions, and the
// detection of dead connections.
//
// A [Transport] holds the connections, which all workers of an agent share. A
// [Session] is one registered worker; a [JobSession] is one accepted job. All are safe
// for concurrent use.
//
// # Calls
//
// Every try of a call has a timeout, and each call is tried again by its own rule in
// retry.go. A Retry-After delays the next try and later calls of the same kind.
// [Retryable] and [Refused] classify the errors: a refusal is a definite response of
// the control plane itself; any other error leaves the outcome unknown.
//
// # The stream
//
// [Session.RunStream] keeps one stream open until its context ends, and posts what
// happens on it as values: a message, a planned end, a loss, a refusal. Each connection
// attempt has an epoch, so that the receiver can distinguish a stale event from a
// current one. Package pace decides when the next attempt is made.
//
// Package httpclient dials, picks the protocol and finds dead connections.
package transport
