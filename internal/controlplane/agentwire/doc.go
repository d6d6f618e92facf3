// Package agentwire serves the protocol of the public Buildkite agent: the REST
// calls under /v3/ and the stream agentedge.v1.AgentEdgeService/StreamPings. Our
// own agent and other agents of that protocol use the same calls. Requests are
// read leniently (unknown JSON members are ignored); responses follow the
// protocol exactly. The types and names of the protocol are in package wire.
//
// The package translates requests into calls of the dispatcher, and results and
// errors into statuses and JSON. It keeps no state of its own.
package agentwire
