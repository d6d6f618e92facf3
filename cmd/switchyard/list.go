package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// defaultLimit is how many jobs or workers a list shows.
const defaultLimit = 50

const listDescription = `Lists %[1]s, the newest first, and writes to standard error how many more there are.
--page continues a list behind its last line: repeat the filters and --sort with it.`

// listFlags are the flags of a list that do not select by content.
type listFlags struct {
	number int
	all    bool
	sort   string
}

const (
	newestFirst = "newest"
	oldestFirst = "oldest"
)

func newListFlags(flags cli.Flags, what string, page *string) *listFlags {
	l := newPageFlags(flags, what, page)
	flags.Choice(&l.sort, "sort", "ORDER", "newest or oldest first", newestFirst, oldestFirst)
	return l
}

// newPageFlags is newListFlags for a list with one order.
func newPageFlags(flags cli.Flags, what string, page *string) *listFlags {
	l := &listFlags{number: defaultLimit, sort: newestFirst}
	cli.Var(flags, &l.number, "limit", "NUMBER", "most "+what+" to list; 0 is all", cli.Number(0, math.MaxInt))
	flags.Bool(&l.all, "all", "list all "+what+", whatever --limit is")
	flags.Text(page, "page", "TOKEN", "go on where a list ended that named this token")
	return l
}

// limit returns the most elements to list; 0 is all.
func (l *listFlags) limit() int {
	if l.all {
		return 0
	}
	return l.number
}

func (l *listFlags) order() switchyardv1.ListOrder {
	if l.sort == oldestFirst {
		return switchyardv1.ListOrder_LIST_ORDER_OLDEST_FIRST
	}
	return switchyardv1.ListOrder_LIST_ORDER_NEWEST_FIRST
}

// momentFlag declares a flag for a bound in time of a list.
func momentFlag(flags cli.Flags, target **timestamppb.Timestamp, name, usage string) {
	cli.Var(flags, target, name, "TIME", usage+cli.MomentForms,
		func(text string) (*timestamppb.Timestamp, error) {
			at, err := cli.Moment(text, time.Now())
			return timestamppb.New(at), err
		}).Default("")
}

// writeList writes a list as JSON, each element as it comes, or all of them as a
// table; and if there are more, how many, as a note.
func writeList[M proto.Message](
	a *app, o *command.Output, list *client.List[M], what string, table func(io.Writer, []M, time.Time) error,
) error {
	var rows []M
	n := 0
	for message, err := range list.All() {
		if err != nil {
			return err
		}
		n++
		if !o.JSON() {
			rows = append(rows, message) // the widths of the columns depend on all rows
			continue
		}
		if err := present.JSON(a.Stdout, message); err != nil {
			return err
		}
	}
	if !o.JSON() {
		if err := table(a.Stdout, rows, time.Now()); err != nil {
			return err
		}
	}
	if note := listNote(int64(n), list.Earlier, list.Total, what, list.Next); note != "" {
		a.Notef("%s", note)
	}
	return nil
}

// showOne returns a command that shows what its argument names. get is a method of the
// client; text has the time from which ages are counted.
func showOne[M proto.Message](
	a *app, use, short, argument string,
	get func(c *client.Client, ctx context.Context, name string) (M, error), text func(w io.Writer, message M, now time.Time) error,
) *cobra.Command {
	cmd := cli.Command(use, short, cli.OneArg(argument))
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, names []string) error {
		message, err := get(caller, ctx, names[0])
		if err != nil {
			return err
		}
		return write(a, c.Output, message, func(w io.Writer, message M) error { return text(w, message, time.Now()) })
	})
	return cmd
}

// listNote returns the note below a list that is not complete: which of its elements
// were listed, and how to list the others. next is the token of the next page, empty at
// the end. total and earlier are zero where they are not known.
func listNote(n, earlier, total int64, what, next string) string {
	count := present.Count(n)
	if earlier > 0 && n > 0 {
		count = present.Count(earlier+1) + " to " + present.Count(earlier+n)
	}
	if total > 0 {
		count += " of " + present.Count(total)
	}
	switch {
	case next != "":
		return fmt.Sprintf("%s %s; --all for all of them, or --page %s for the next", count, what, next)
	case earlier > 0:
		return count + " " + what
	}
	return ""
}
