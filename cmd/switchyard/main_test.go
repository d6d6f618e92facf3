package main

import "testing"

func TestCalledAs(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"switchyard": "switchyard", "./switchyard": "./switchyard", "/usr/bin/switchyard": "/usr/bin/switchyard",
		"/my programs/switchyard": "'/my programs/switchyard'", "/tmp/switchyard.test": "switchyard", "": "switchyard",
	} {
		if got := calledAs(name); got != want {
			t.Errorf("%q: %s, want %s", name, got, want)
		}
	}
}
