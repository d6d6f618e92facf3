//go:build !linux

package e2e_test

// endLeftovers finds nothing where processes do not show where they work.
func endLeftovers(string, bool) []string { return nil }
