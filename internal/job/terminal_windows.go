package job

import (
	"errors"
	"io"
	"os/exec"
)

const (
	terminalName = ""
	hasTerminals = false
)

// newTerminal fails; Options.WithDefaults has refused what needs it.
func newTerminal() (*output, error) { return nil, errors.New("this system has no pseudo-terminals") }

func onTerminal(*exec.Cmd) {}

// atEnd tells whether an error of reading is the end of the output.
func atEnd(err error) bool { return errors.Is(err, io.EOF) }
