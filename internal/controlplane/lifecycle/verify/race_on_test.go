//go:build race

package verify

// underRace: the race detector makes exploring a dozen times slower, and has
// nothing to find where there is one goroutine.
const underRace = true
