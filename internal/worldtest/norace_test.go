//go:build !race

package worldtest

// These take about ten seconds each; `task worlds` draws more worlds.
const (
	defaultWorlds    = "50"
	defaultHistories = 12
)
