//go:build race

package e2e_test

// raceEnabled reports whether the program is built with the race detector, as the
// tests are.
const raceEnabled = true
