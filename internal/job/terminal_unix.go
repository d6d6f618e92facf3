//go:build unix

package job

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"

	"github.com/creack/pty"
)

// The size of a job's terminal: lines as wide as a page shows without folding
// them.
const (
	terminalRows = 100
	terminalCols = 160
	terminalName = "xterm-256color"

	hasTerminals = true
)

// newTerminal gives an output that is a terminal for who writes to it.
func newTerminal() (*output, error) {
	outside, inside, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("making a terminal for the output: %w", err)
	}
	out := &output{read: outside, write: inside, done: make(chan struct{})}
	if err := pty.Setsize(outside, &pty.Winsize{Rows: terminalRows, Cols: terminalCols}); err != nil {
		out.discard()
		return nil, fmt.Errorf("making a terminal for the output: %w", err)
	}
	return out, nil
}

// onTerminal makes the terminal at the command's input that of its session.
func onTerminal(cmd *exec.Cmd) {
	cmd.SysProcAttr.Setctty = true // Ctty is 0: the command's standard input
}

// atEnd tells whether an error of reading is the end of the output. Of a
// terminal that nobody holds any more, Linux says EIO.
func atEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, syscall.EIO) }
