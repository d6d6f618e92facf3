//go:build !unix

package main

// signalNumber is 0: this system has no numbers for signals.
func signalNumber(string) int { return 0 }
