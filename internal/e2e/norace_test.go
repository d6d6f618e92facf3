//go:build !race

package e2e_test

// raceEnabled has the program built like the tests.
const raceEnabled = false
