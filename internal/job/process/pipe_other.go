//go:build !linux

package process

import "os"

// openPipe opens a pipe.
func openPipe() (read, write *os.File, err error) { return os.Pipe() } //nolint:wrapcheck // openOutput wraps it
