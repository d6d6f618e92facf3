//go:build !race

package verify

// underRace is false: see the other file of this name.
const underRace = false
