package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
)

const auditDescription = `Lists what callers changed, in order of time, the oldest first: who (the name of the token), from
which address, what, and why. Without --since it lists the last 24 hours.

The control plane keeps the log for 90 days, but at most the last 10,000 entries of
submissions and the last 10,000 of all other changes, and 1% of its store. It logs
each change in its own log, too.`

// auditLog returns `switchyard audit`.
func (a *app) auditLog() *cobra.Command {
	cmd := cli.Command("audit", "list who changed what, and from where", cli.NoArgs)
	cmd.Long = auditDescription
	var since *timestamppb.Timestamp
	momentFlag(cli.PerCall(cmd), &since, "since", "only changes from then on")
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, _ []string) error {
		from := time.Now().Add(-24 * time.Hour)
		if since != nil {
			from = since.AsTime()
		}
		events, err := caller.AuditEvents(ctx, from)
		if err != nil {
			return err
		}
		return writeRows(a, c.Output, events, present.Audit)
	})
	return cmd
}
