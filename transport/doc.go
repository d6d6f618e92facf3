// Package transport is the client side of the wire between an agent and its
// control plane: the calls (register, connect, ping, accept, and so on), the
// stream of instructions, the liveness of both, and the pacing of reconnects.
//
// A [Transport] holds the connections, which all workers of an agent share. A
// [Session] is one registered worker; a [JobSession] is one accepted job. Both
// are safe for concurrent use.
//
// # Calls
//
// Every try of a call has a deadline, and each call is tried again by a rule
// of its own, written in rules.go. An answer that asks for a pause with
// Retry-After is given it. [Retryable] and [Refused] sort the errors: a
// refusal is a definite answer of the control plane itself, everything else is
// no news.
//
// # The stream
//
// [Session.RunStream] keeps one stream open for as long as its context lives
// and posts what happens on it as values: a message, a planned end, a loss, a
// refusal. Each connection attempt has an epoch, so that the receiver can tell
// a stale event from a current one. When the next attempt is made is the
// [Pacer]'s decision alone.
//
// # Protocols
//
// An https endpoint speaks HTTP/2 where ALPN agrees on it, else HTTP/1.1. An
// http endpoint is asked once, with the HTTP/2 preface and nothing else,
// whether it speaks HTTP/2 without TLS; the finding is kept until something is
// lost. HTTP/2 connections are checked with a PING after ten seconds of
// silence, so a connection whose packets vanish is noticed within fifteen.
package transport
