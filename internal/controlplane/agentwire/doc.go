// Package agentwire serves the wire that agents speak: the REST calls under
// /v3/ and the stream agentedge.v1.AgentEdgeService/StreamPings. Both are those
// of the public Buildkite agent, so that agents which we did not write can be
// served: what they send is read liberally, and what they are sent is exact.
//
// The package turns requests into calls of the dispatcher and its answers into
// statuses and JSON. It keeps no state of its own.
package agentwire
