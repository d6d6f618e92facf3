//go:build race

package e2e_test

// raceEnabled has the program built like the tests, so that its races are found.
const raceEnabled = true
