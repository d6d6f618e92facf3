//go:build race

package worldtest

// The race detector makes a world five times as slow, and finds a race in few of them.
const (
	defaultWorlds    = "15"
	defaultHistories = 4
)
