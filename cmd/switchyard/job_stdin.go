package main

import (
	"path"
	"slices"
	"strings"
)

// Programs that read what they run from standard input if they are not given it.
//
//nolint:gochecknoglobals // tables, never written
var (
	shells       = []string{"sh", "bash", "dash", "ash", "zsh", "ksh"}
	interpreters = []string{"python", "python3", "perl", "ruby", "node"}
)

// runsStdin reports whether a command runs what it reads from standard input. A job's
// standard input is empty, so that such a command does nothing, and succeeds.
func runsStdin(command []string) bool {
	program, args := path.Base(command[0]), command[1:]
	switch {
	case slices.Contains(interpreters, program):
		return len(args) == 0 || args[0] == "-"
	case !slices.Contains(shells, program):
		return false
	}
	for i := 0; i < len(args); i++ {
		switch arg := args[i]; {
		case arg == "-o" || arg == "+o" || arg == "-O" || arg == "+O":
			i++ // its value follows
		case arg == "--version", arg == "--help":
			return false
		case arg == "-" || arg == "--":
			return i+1 == len(args)
		case strings.HasPrefix(arg, "--"), strings.HasPrefix(arg, "+"):
		case !strings.HasPrefix(arg, "-"), strings.Contains(arg, "c"):
			return false // a file, or -c
		case strings.Contains(arg, "s"):
			return true
		}
	}
	return true
}
