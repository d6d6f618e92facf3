package process

import (
	"errors"
	"io"
	"os"
	"os/exec"
)

func openTerminal() (read, write *os.File, err error) {
	return nil, nil, errors.New("Windows has no pseudo-terminals") //nolint:staticcheck // a name
}

func setTerminal(*exec.Cmd) {}

// atEnd reports whether a read error is the end of the output.
func atEnd(err error) bool { return errors.Is(err, io.EOF) }

// closedByAll reports whether no process has the writing end any more. It is a
// guess: a reader that waits would have seen the end.
func (o *output) closedByAll() bool { return !o.reading.Load() }
