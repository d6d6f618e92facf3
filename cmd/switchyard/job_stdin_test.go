package main

import (
	"strings"
	"testing"
)

// TestRunsStdin has commands that run their standard input, and others that look so.
func TestRunsStdin(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]bool{
		"sh": true, "sh -s": true, "/bin/bash -s -- a b": true, "bash -ex": true, "bash -o pipefail": true, "bash -e -o pipefail -s a": true,
		"sh -": true, "bash --norc": true, "python3 -": true, "python": true, "node -": true, "dash +e": true,
		"sh -c x": false, "sh -ec x": false, "bash -o pipefail -c x": false, "sh script": false, "bash -x script": false, "sh -- script": false,
		"bash --version": false, "python3 script": false, "python3 -c x": false, "perl -e x": false, "cat": false, "make": false, "fish -s": false,
	} {
		if got := runsStdin(strings.Fields(command)); got != want {
			t.Errorf("%s: %t, want %t", command, got, want)
		}
	}
}
