// Package transport is the agent's side of the Buildkite agent protocol: the calls
// (register, connect, ping, accept, and so on), the stream of instructions, and the
// detection of dead connections.
//
// A [Transport] holds the connections. The workers of an agent form groups, each of
// which shares connections and uses one endpoint at a time; groups spread over the
// endpoints, and over the replicas behind a load balancer. A [Session] is one registered
// worker; a [JobSession] is one accepted job. All are safe for concurrent use.
//
// # Calls
//
// Every try of a call has a timeout, and each call is tried again by its own rule in
// retry.go. A Retry-After delays the next try and later calls of the same kind.
// [Retryable] and [Refused] classify the errors: a refusal is a definite response of
// the control plane itself; any other error leaves the outcome unknown.
//
// # Several endpoints
//
// A call that no control plane has received is made at the next endpoint at once. After
// another failure (no response, a status 502, 503 or 504, a connection of the stream
// that breaks) later calls use the next one. An endpoint that failed is tried after the
// others for a while (package httpclient/pick). If the control plane names an endpoint,
// the session uses that one only.
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
