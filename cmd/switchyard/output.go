package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/present"
)

// write writes a message as JSON, or as the text function does.
func write[M proto.Message](a *app, o *command.Output, message M, text func(io.Writer, M) error) error {
	if o.JSON() {
		return present.JSON(a.Stdout, message)
	}
	return text(a.Stdout, message)
}

// writeRows writes messages as JSON, each on its line, or as a table.
func writeRows[M proto.Message](a *app, o *command.Output, rows []M, table func(io.Writer, []M, time.Time) error) error {
	if !o.JSON() {
		return table(a.Stdout, rows, time.Now())
	}
	for _, row := range rows {
		if err := present.JSON(a.Stdout, row); err != nil {
			return err
		}
	}
	return nil
}

// result is what became of one of several changes: a message for programs, and a line for
// people.
type result struct {
	message   proto.Message
	line      string
	unchanged bool // the change had been made before
}

// changeEach changes what each of the IDs names, in order, and writes the results. It goes
// on past a failure, writes a line about each, and returns an error at the end if there
// was one.
func (a *app) changeEach(ctx context.Context, o *command.Output, ids []string, change func(id string) (result, error)) error {
	failed := 0
	for _, id := range ids {
		changed, err := change(id)
		switch {
		case err != nil && (len(ids) == 1 || ctx.Err() != nil):
			return err
		case err != nil:
			failed++
			a.Notef("%v", err)
			continue
		}
		if changed.unchanged {
			changed.line += ", as before"
		}
		err = write(a, o, changed.message, func(io.Writer, proto.Message) error { return a.Printf("%s\n", changed.line) })
		if err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d failed; see the lines above", failed, len(ids))
	}
	return nil
}
