package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	// completeTimeout bounds how long a shell waits for names and IDs.
	completeTimeout = time.Second
	// maxOffers is how many of them are offered, the newest ones.
	maxOffers = 100
)

// offer is a value that a shell offers, with what it is.
type offer struct{ value, description string }

// completeValues makes a shell offer what the arguments and flags of cmd can name: the jobs,
// workers, queues and tokens of the control plane that the command would call, and states
// and outcomes. All flags of cmd must be declared. Nothing is offered if the control plane
// does not respond within a second.
func (c *connection) completeValues(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		list := map[string]func(context.Context, *client.Client) []offer{
			"job": offerJobs, "workers": offerWorkers, "queue": offerQueues, "token": offerTokens,
		}[cmd.Parent().Name()]
		if list == nil || cmd.Args == nil || cmd.Args(cmd, []string{"any"}) != nil { // it takes none
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return c.ask(cmd, list)
	}
	cli.Offer(cmd, "queue", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return c.ask(cmd, offerQueues)
	})
	cli.Offer(cmd, "worker", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return c.ask(cmd, offerWorkerIDs)
	})
	cli.Offer(cmd, "tag", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return c.ask(cmd, offerTags(cmd.Parent().Name() == "job"))
	})
	cli.Offer(cmd, "outcome", cobra.FixedCompletions(present.JobOutcomes(), cobra.ShellCompDirectiveNoFileComp))
	cli.Offer(cmd, "state", func(cmd *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if cmd.Parent().Name() == "workers" {
			return present.WorkerStates(), cobra.ShellCompDirectiveNoFileComp
		}
		return present.JobStates(), cobra.ShellCompDirectiveNoFileComp
	})
}

// ask returns what list finds at the control plane, and nothing on error: a shell cannot
// show one.
func (c *connection) ask(
	cmd *cobra.Command, list func(context.Context, *client.Client) []offer,
) ([]cobra.Completion, cobra.ShellCompDirective) {
	ctx, cancel := context.WithTimeout(context.Background(), completeTimeout)
	defer cancel()
	if cli.ApplySettings(cmd) != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	caller, err := c.connect(cmd)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	defer caller.Close()
	var completions []cobra.Completion
	for _, o := range list(ctx, caller) {
		if o.value == present.Safe(o.value) { // others cannot be typed
			completions = append(completions, cobra.CompletionWithDesc(o.value, present.Safe(o.description)))
		}
	}
	return completions, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
}

// offered returns an offer for each element of a list.
func offered[T any](list *client.List[T], describe func(T) offer) (offers []offer) {
	for element, err := range list.All() {
		if err != nil {
			break
		}
		offers = append(offers, describe(element))
	}
	return offers
}

func offerJobs(ctx context.Context, caller *client.Client) []offer {
	return offered(caller.Jobs(ctx, &switchyardv1.ListJobsRequest{}, maxOffers), func(job *switchyardv1.Job) offer {
		return offer{job.GetId(), present.Outcome(job) + " " + job.GetQueue() + ": " + present.ShortCommand(job)}
	})
}

func offerWorkers(ctx context.Context, caller *client.Client) []offer {
	return offered(caller.Workers(ctx, &switchyardv1.ListWorkersRequest{}, maxOffers), func(w *switchyardv1.Worker) offer {
		return offer{w.GetName(), present.WorkerSummary(w) + " " + w.GetQueue()}
	})
}

func offerWorkerIDs(ctx context.Context, caller *client.Client) []offer {
	return offered(caller.Workers(ctx, &switchyardv1.ListWorkersRequest{}, maxOffers), func(w *switchyardv1.Worker) offer {
		return offer{w.GetId(), w.GetName()}
	})
}

// offerTags returns the function that finds the tags of workers and, for what a job requires,
// their keys with any value.
func offerTags(required bool) func(context.Context, *client.Client) []offer {
	return func(ctx context.Context, caller *client.Client) (offers []offer) {
		counts := map[string]int{}
		for w, err := range caller.Workers(ctx, &switchyardv1.ListWorkersRequest{}, maxOffers).All() {
			if err != nil {
				break
			}
			for _, tag := range w.GetTags() {
				if required && wire.CheckRequiredTag(tag) != nil || strings.HasPrefix(tag, wire.QueueTag) {
					continue
				}
				counts[tag]++
				if key, _, _ := strings.Cut(tag, "="); required {
					counts[key+"="+wire.AnyValue] = 0
				}
			}
		}
		for _, tag := range slices.Sorted(maps.Keys(counts)) {
			description := "any value"
			if n := counts[tag]; n > 0 {
				description = fmt.Sprintf("workers with it: %d", n)
			}
			offers = append(offers, offer{tag, description})
		}
		return offers
	}
}

func offerQueues(ctx context.Context, caller *client.Client) []offer {
	return offered(caller.Queues(ctx, &switchyardv1.ListQueuesRequest{}, maxOffers), func(q *switchyardv1.Queue) offer {
		return offer{q.GetName(), present.QueueSummary(q)}
	})
}

func offerTokens(ctx context.Context, caller *client.Client) (offers []offer) {
	tokens, err := caller.Tokens(ctx, false)
	if err != nil {
		return nil
	}
	for _, token := range tokens {
		offers = append(offers, offer{token.GetId(), token.GetName() + " " + present.TokenScope(token.GetScope())})
	}
	return offers
}
