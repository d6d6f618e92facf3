package job

import (
	"errors"
	"strings"
	"syscall"
)

// Limits says in words, a line each, what this system does not offer to jobs.
func Limits() []string {
	return []string{
		"a canceled job gets CTRL_BREAK, which only programs with a console see; Windows has no signals",
		"jobs have no terminal: --pty is for Unix",
		"what a command starts in the instant before it is put into its job object is not ended with it",
	}
}

// ParseSignal reads the name of a cancel signal. There is none but the default.
func ParseSignal(name string) (syscall.Signal, error) {
	if strings.TrimPrefix(strings.ToUpper(name), "SIG") != "TERM" {
		return 0, errors.New("Windows has no signals to choose from") //nolint:staticcheck // a name
	}
	return syscall.SIGTERM, nil
}
