package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/switchyard-ci/switchyard/internal/cli"
)

// interrupted returns the error of a command that a signal has ended: what became of its
// work, with the exit code of the signal. It returns any other error as it is.
func interrupted(err error, format string, args ...any) error {
	signal, ok := errors.AsType[cli.InterruptedError](err)
	if !ok {
		return err
	}
	return &cli.ExitError{Code: cli.ExitSignal + int(signal.Signal), Err: fmt.Errorf("interrupted; "+format, args...)}
}

// readUntil returns a reader of what open returns, whose reads fail with the cause of the
// context when that ends. A read or an open that blocks until then goes on, and the file
// stays open: the program ends soon.
func readUntil(ctx context.Context, open func() (io.ReadCloser, error)) io.Reader {
	out, in := io.Pipe()
	context.AfterFunc(ctx, func() { _ = in.CloseWithError(context.Cause(ctx)) })
	go func() {
		file, err := open()
		if err == nil {
			_, err = io.CopyBuffer(in, struct{ io.Reader }{file}, make([]byte, readAhead))
			err = errors.Join(err, file.Close())
		}
		_ = in.CloseWithError(err) // it always returns nil
	}()
	return out
}
