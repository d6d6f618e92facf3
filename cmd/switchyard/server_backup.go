package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/backup"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/command"
	"github.com/switchyard-ci/switchyard/internal/controlplane"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const backupDescription = `Writes everything that a running control plane stores to FILE, which must not exist:
jobs, their logs, workers with their sessions, meta-data, idempotency keys and named
tokens. Everything that was acknowledged before the command is in it. The file has the
environment of jobs, so it can be read by its owner only. It does not have the files
registration-token and admin-token of the data directory; keep copies of those.

With - for FILE the backup goes to standard output, and is complete only if the exit code
is 0: server restore refuses one that is not.

It needs a token with the scope operate.`

// standardStream stands for standard output or input in place of the name of a file.
const standardStream = "-"

// serverBackup returns `switchyard server backup`.
func (a *app) serverBackup() *cobra.Command {
	cmd := cli.Command("backup FILE", "write everything that a running control plane stores to a file", cli.OneArg("file"))
	cmd.Long = backupDescription
	c := connectionFlags(cmd)
	cmd.RunE = c.withClient(func(ctx context.Context, caller *client.Client, args []string) error {
		ctx, stop := cli.Interruptible(ctx)
		defer stop()
		var records int64
		err := caller.Backup(ctx, func(receive func() (*switchyardv1.BackupResponse, bool, error)) (err error) {
			if args[0] == standardStream {
				records, err = backup.WriteTo(a.Stdout, receive)
				return err
			}
			records, err = backup.Write(args[0], receive)
			return err
		})
		switch {
		case err != nil && args[0] == standardStream:
			return interrupted(err, "the backup on standard output is not complete")
		case err != nil:
			return interrupted(err, "%s was not written", args[0])
		case args[0] == standardStream:
			a.Notef("%d records written to standard output", records)
			return nil
		}
		if c.JSON() {
			return a.WriteJSON(map[string]any{"file": args[0], "records": records})
		}
		return a.Printf("%d records written to %s\n", records, args[0])
	})
	return cmd
}

const restoreDescription = `Stores the content of a backup in a new data directory, or in a NATS cluster without
jobs. No control plane may run on it meanwhile. Then start the control plane
there, with the registration-token and admin-token of the old data directory, if agents
and people are to keep theirs: copy the two files, or name them with the flags of
server start.

A job that has ended is restored as it was, and does not run again. A job that was
waiting when the backup was made may have run since: it is canceled, unless
--keep-waiting says that none has. A job that was running ends with the result that its
agent delivers; if its agent does not have it any more, it is lost, and is retried where
its submitter asked for that. Workers keep their sessions. What was to expire expires
as it would have; logs and meta-data are kept for their time from the restore on.

With - for FILE the backup is read from standard input (not on Windows).`

// serverRestore returns `switchyard server restore`.
func (a *app) serverRestore() *cobra.Command {
	cmd := cli.Command("restore FILE", "store the content of a backup in a new data directory", cli.OneArg("file"))
	cmd.Long = restoreDescription
	dir := command.NewDataDir(cmd, "directory of the store; it is created if it does not exist")
	var keepWaiting bool
	cli.PerCall(cmd).Bool(&keepWaiting, "keep-waiting", "let jobs run that were waiting: none of them has run since the backup")
	config := controlplane.Config{}.WithDefaults()
	flags := cli.Settings(cmd, "server")
	natsFlags(flags, &config)
	flags.Text(&config.NATSURL, "nats-url", "URL", "NATS cluster to restore to").
		Default("a store in the data directory")
	out := command.OutputFlag(cmd)
	log := command.NewLogFlags(cmd, zapcore.InfoLevel)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		config.Logger = log.Logger()
		var err error
		if config.DataDir, err = dir.Resolve(); err != nil {
			return err
		}
		ctx, stop := cli.Interruptible(cmd.Context())
		defer stop()
		restored, err := controlplane.Restore(ctx, config, args[0], keepWaiting)
		if err != nil {
			place := config.DataDir
			if config.NATSURL != "" { // which may have a password
				place = "the NATS cluster"
			}
			return interrupted(err, "the restore is not complete: no control plane starts on what it has stored; "+
				"remove that from %s, and restore the backup again", place)
		}
		if out.JSON() {
			return a.WriteJSON(map[string]any{
				"dataDir": config.DataDir, "records": restored.Records, "canceled": restored.Canceled, "backupAt": restored.BeganAt,
			})
		}
		return a.Printf("%d records of the backup of %s restored to %s\n%s", restored.Records,
			restored.BeganAt.Local().Format(time.DateTime), config.DataDir, canceledLine(restored.Canceled))
	}
	return cmd
}

func canceledLine(n int) string {
	if n == 0 {
		return ""
	}
	if n == 1 {
		return "1 waiting job was canceled: it may have run since the backup\n"
	}
	return fmt.Sprintf("%d waiting jobs were canceled: they may have run since the backup\n", n)
}
