//go:build !linux

package e2e_test

// peakMemory returns false: only Linux reports it.
func peakMemory(int) (int, bool) { return 0, false }
