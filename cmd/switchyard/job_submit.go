package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/urfave/cli/v3"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const (
	flagWait           = "wait"
	flagQueue          = "queue"
	flagEnv            = "env"
	flagPriority       = "priority"
	flagTimeout        = "timeout"
	flagRetries        = "retries"
	flagIdempotencyKey = "idempotency-key"
	flagRepo           = "repo"
	flagCommit         = "commit"
	flagBranch         = "branch"

	// endOfFlags stands before the job's command.
	endOfFlags = "--"
)

const submitDescription = `Stores a job and writes its id. The command is what stands after "--", and is
taken word for word; for what only a shell can do, run one: -- sh -c "..."

With --wait it writes the job's log to standard output as it comes, byte for
byte, and what happens to the job to standard error: why it waits, where it runs,
how it ended. When the control plane goes away it is sought again for as long as
--patience says, and the log goes on where it was; the submission itself is tried
once. Ctrl-C ends the waiting, not
the job. A job that is lost and retried is followed to its next try.

` + exitCodes

// jobSubmit is `switchyard job submit [FLAGS] -- CMD...`.
func (a *app) jobSubmit() *cli.Command {
	return &cli.Command{
		Name:        "submit",
		Usage:       "submit a job",
		UsageText:   "switchyard job submit [options] -- COMMAND [ARGUMENT...]",
		Description: submitDescription,
		Flags: append([]cli.Flag{
			&cli.BoolFlag{
				Name: flagWait, Aliases: []string{"w"}, Usage: "write the log as it comes, and exit as the job does",
				Sources: a.settings.Value("job.wait"),
			},
			&cli.StringFlag{
				Name: flagQueue, Value: "default", Usage: "`NAME` of the queue whose agents may run the job",
				Sources: a.settings.Value("job.queue"),
			},
			&cli.StringSliceFlag{
				Name: flagEnv, Aliases: []string{"e"}, Usage: "put `NAME=VALUE` into the job's environment; may be repeated",
				Sources: a.settings.List("job.env"),
			},
			&cli.StringFlag{
				Name: flagRepo, Usage: "have the git repository at `URL` checked out into the job's working directory",
				DefaultText: "none", Sources: a.settings.Value("job.repo"),
			},
			&cli.StringFlag{
				Name: flagCommit, Usage: "check out `COMMIT` of it: a commit's name, a tag, or HEAD", DefaultText: head,
				Sources: a.settings.Value("job.commit"),
			},
			&cli.StringFlag{
				Name: flagBranch, Usage: "`BRANCH` of it whose end HEAD is", DefaultText: "its own choice", Sources: a.settings.Value("job.branch"),
			},
			&cli.Int32Flag{
				Name: flagPriority, Usage: "higher `NUMBER`s run first", Sources: a.settings.Value("job.priority"),
			},
			&cli.DurationFlag{
				Name: flagTimeout, Usage: "cancel the job when it has run for `DURATION`", DefaultText: "no limit",
				Sources: a.settings.Value("job.timeout"), Validator: notNegative[time.Duration],
			},
			&cli.Int32Flag{
				Name: flagRetries, Usage: "run the job anew up to `NUMBER` times if it is lost",
				Sources: a.settings.Value("job.retries"), Validator: notNegative[int32],
			},
			&cli.StringFlag{
				Name: flagIdempotencyKey, Usage: "`KEY` under which a repeated submission is the same job",
			},
			a.patienceFlag(),
			a.outputFlag(),
		}, a.connectionFlags()...),
		Action: a.submitJob,
	}
}

func (a *app) submitJob(ctx context.Context, cmd *cli.Command) error {
	request, err := a.submission(cmd)
	if err != nil {
		return err
	}
	c, err := a.connect(cmd)
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, stop := interruptible(ctx)
	defer stop()
	submitted, err := c.Submit(ctx, request)
	if failed, ok := errors.AsType[*client.Error](err); ok && failed.Uncertain() {
		return fmt.Errorf("%w; whether the job was stored is not known: with --%s it can be submitted again as the same job",
			err, flagIdempotencyKey)
	}
	if err != nil {
		return err
	}
	job := submitted.GetJob()
	if cmd.Bool(flagWait) {
		a.notef("job %s %s", job.GetId(), storedAs(submitted))
		return a.waitForJob(ctx, cmd, c, job.GetId())
	}
	if asJSON(cmd) {
		return present.JSON(a.stdout, submitted)
	}
	return a.printf("%s\n", job.GetId())
}

func storedAs(submitted *switchyardv1.SubmitJobResponse) string {
	if submitted.GetExisted() {
		return "was submitted before, with this idempotency key"
	}
	return "is submitted"
}

// submission is the request that the command line describes.
func (a *app) submission(cmd *cli.Command) (*switchyardv1.SubmitJobRequest, error) {
	command, err := a.commandOf(cmd)
	if err != nil {
		return nil, err
	}
	env, err := parseEnv(cmd.StringSlice(flagEnv))
	if err != nil {
		return nil, usage(cmd, "%w", err)
	}
	if err := addSource(cmd, env); err != nil {
		return nil, err
	}
	request := &switchyardv1.SubmitJobRequest{
		Command:        command,
		Env:            env,
		Queue:          cmd.String(flagQueue),
		Priority:       cmd.Int32(flagPriority),
		IdempotencyKey: cmd.String(flagIdempotencyKey),
		Retries:        cmd.Int32(flagRetries),
	}
	if timeout := cmd.Duration(flagTimeout); timeout > 0 {
		request.Timeout = durationpb.New(timeout)
	}
	return request, nil
}

// commandOf is the job's command: everything after the first "--". The library
// passes over that mark wherever it stands, so an argument before it would
// become part of the command, and a "--" of the command's own could be lost.
func (a *app) commandOf(cmd *cli.Command) ([]string, error) {
	command := cmd.Args().Slice()
	mark := slices.Index(a.args, endOfFlags)
	switch {
	case mark < 0 && len(command) > 0:
		return nil, usage(cmd, `the command must follow "--": %s -- %s`, cmd.FullName(), present.Command(command))
	case mark < 0 || len(command) == 0:
		return nil, usage(cmd, `no command; it must follow "--", as in: %s -- echo hello`, cmd.FullName())
	case !slices.Equal(command, a.args[mark+1:]):
		return nil, usage(cmd, `%q must stand after "--", with the command`, command[0])
	case command[0] == "":
		return nil, usage(cmd, "the command must not be empty")
	}
	return command, nil
}
