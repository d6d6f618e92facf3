package command

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/fsm/replay"
	"github.com/switchyard-ci/switchyard/internal/cli"
)

// errNothingSelected is returned where nothing is left to show.
var errNothingSelected = errors.New("nothing that was asked for is recorded; without --since and --until more is shown")

// filterFlags declares the flags that select what a timeline shows.
func filterFlags(cmd *cobra.Command) *replay.Filter {
	f := &replay.Filter{}
	flags := cli.PerCall(cmd)
	cli.List(flags, &f.Workers, "worker", "NAME|ID", "only this worker, also by the beginning of its ID; may be repeated",
		cli.Each(cli.AnyText))
	cli.Var(flags, &f.Job, "job", "ID", "only the workers that had this job, while they had it; also the beginning of its ID",
		func(text string) (fsm.JobID, error) { return fsm.JobID(text), nil })
	bound := func(at *time.Time, name, usage string) {
		cli.Var(flags, at, name, "TIME", usage+cli.MomentForms,
			func(text string) (time.Time, error) { return cli.Moment(text, time.Now()) }).Default("")
	}
	bound(&f.Since, "since", "only what happened from then on, and the states at that time")
	bound(&f.Until, "until", "only what happened before")
	return f
}
