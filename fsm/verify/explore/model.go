package explore

// Environments is a set of environments, one bit each. A model defines them.
type Environments uint8

// Disturbance is the set of a move that no environment makes by itself.
const Disturbance Environments = 0

// Successor is a state after a move.
type Successor[S comparable, M any] struct {
	State S
	// Canonical stands for all states that differ from State in names only.
	Canonical S
	Move      M
	// In are the environments in which the move happens sooner or later.
	In Environments
	// Broken is the property that does not hold in the step or after it, on one
	// line; empty if all do. Nothing is explored beyond it.
	Broken string
}

// Model is what is explored: states (S) and the moves between them (M). It is called by
// one goroutine.
type Model[S comparable, M any] interface {
	// Successors returns every state that may come next, in a slice that is valid
	// until the next call.
	Successors(s S) []Successor[S, M]
}
