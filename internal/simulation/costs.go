package simulation

import "time"

// Costs is the CPU time that a control plane needs, on one core.
type Costs struct {
	// Cores is how many cores a replica has.
	Cores float64
	// Open is for a stream, from the request to its first message, and Ping for a ping.
	Open, Ping time.Duration
	// Streaming is for a stream that is open and idle: its keep-alives and the heartbeats
	// of its worker, a second.
	Streaming time.Duration
	// Known is for a worker that a replica knows, wherever its stream is, a second: the
	// sweeps look at each, and other replicas name those from which they received
	// something.
	Known time.Duration
	// Announced is for the announcement of a stream by another replica.
	Announced time.Duration
	// StreamWrites is how many records a second one stream of the store takes, with many
	// writers.
	StreamWrites float64
}

// Measured returns what was measured on two cores: see the package's documentation.
func Measured() Costs {
	return Costs{
		Cores: 2, Open: 350 * time.Microsecond, Ping: 150 * time.Microsecond, Streaming: 8 * time.Microsecond,
		Known: time.Microsecond, Announced: 15 * time.Microsecond, StreamWrites: 2400,
	}
}
