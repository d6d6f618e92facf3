package main

import (
	"context"
	"errors"
	"slices"

	"connectrpc.com/connect"
	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// selection is which jobs or workers a command changes: those that its arguments name, or
// those that its flags describe at the time of the call.
type selection struct {
	what   string // "job" or "worker"
	queue  string
	tags   []string // of workers; all of them
	states []switchyardv1.JobState
	all    bool
}

// newSelection declares the flags, and makes the command check that either they or arguments
// are given. what is "job" or "worker", argument what names one.
func newSelection(cmd *cobra.Command, what, argument string) *selection {
	s := &selection{what: what}
	flags := cli.PerCall(cmd)
	flags.Text(&s.queue, "queue", "NAME", "every "+what+" of this queue")
	flags.Bool(&s.all, "all", "every "+what)
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) > 0 && (s.byContent() || len(s.states) > 0):
			return cli.Usagef(cmd, "%q: a %s cannot be used with flags that select several", args[0], argument)
		case s.byContent():
			return nil
		case len(s.states) > 0:
			return cli.Usagef(cmd, "--state needs --queue or --all")
		}
		return cli.SomeArgs(argument)(cmd, args)
	}
	return s
}

// byContent reports whether flags select what is changed.
func (s *selection) byContent() bool { return s.all || s.queue != "" || len(s.tags) > 0 }

// jobs returns the IDs of the jobs, the oldest first: args, or the selected ones.
func (s *selection) jobs(ctx context.Context, a *app, caller *client.Client, args []string) ([]string, error) {
	if !s.byContent() {
		return args, nil
	}
	states := s.states
	if len(states) == 0 {
		states = []switchyardv1.JobState{
			switchyardv1.JobState_JOB_STATE_QUEUED, switchyardv1.JobState_JOB_STATE_ASSIGNED,
			switchyardv1.JobState_JOB_STATE_ACCEPTED, switchyardv1.JobState_JOB_STATE_RUNNING,
		}
	}
	request := &switchyardv1.ListJobsRequest{States: states, Queue: s.queue, Order: switchyardv1.ListOrder_LIST_ORDER_OLDEST_FIRST}
	return idsOf(a, s.what, caller.Jobs(ctx, request, 0), func(*switchyardv1.Job) bool { return true })
}

// workers returns the IDs of the workers, the oldest first: args, or the selected ones
// that are connected.
func (s *selection) workers(ctx context.Context, a *app, caller *client.Client, args []string) ([]string, error) {
	if !s.byContent() {
		return args, nil
	}
	request := &switchyardv1.ListWorkersRequest{Queue: s.queue, Order: switchyardv1.ListOrder_LIST_ORDER_OLDEST_FIRST}
	return idsOf(a, s.what, caller.Workers(ctx, request, 0), func(w *switchyardv1.Worker) bool {
		return !slices.ContainsFunc(s.tags, func(tag string) bool { return !slices.Contains(w.GetTags(), tag) })
	})
}

// idsOf returns the IDs of the elements of a list that match, and notes if there is none.
func idsOf[T interface{ GetId() string }](a *app, what string, list *client.List[T], match func(T) bool) ([]string, error) {
	var ids []string
	for element, err := range list.All() {
		if err != nil {
			return nil, err
		}
		if match(element) {
			ids = append(ids, element.GetId())
		}
	}
	if len(ids) == 0 {
		a.Notef("no %s matches", what)
	}
	return ids, nil
}

// hasEnded reports whether a change was refused because of the state of what it concerns.
func hasEnded(err error) bool {
	failed, ok := errors.AsType[*client.Error](err)
	return ok && failed.Code == connect.CodeFailedPrecondition
}
