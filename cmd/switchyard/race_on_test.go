//go:build race

package main

// raceDetector reports whether the race detector slows the tests down.
const raceDetector = true
