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

// What was measured on two cores: see the package's documentation.
const (
	measuredOpen      = 350 * time.Microsecond
	measuredPing      = 150 * time.Microsecond
	measuredStreaming = 8 * time.Microsecond
	measuredKnown     = time.Microsecond
	measuredAnnounced = 15 * time.Microsecond
	measuredWrites    = 2400
	measuredCores     = 2
)

// Measured returns what was measured.
func Measured() Costs {
	return Costs{
		Cores: measuredCores, Open: measuredOpen, Ping: measuredPing, Streaming: measuredStreaming,
		Known: measuredKnown, Announced: measuredAnnounced, StreamWrites: measuredWrites,
	}
}
