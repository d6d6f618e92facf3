package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/client"
	"github.com/switchyard-ci/switchyard/internal/present"
	"github.com/switchyard-ci/switchyard/internal/wire"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

const submitDescription = `Stores a job and writes its ID. The command is what follows "--". No shell reads it;
for what only a shell can do, run one: -- sh -c "..."

With --wait the job's log goes to standard output as it comes, byte for byte, and
the changes of its state to standard error: why it waits, where it runs, how it
ended. When the control plane cannot be reached, the command tries again for as long
as --patience says, and the log goes on where it was; the submission itself is tried
once. Ctrl-C ends the waiting, not the job. When the job is lost and retried, the
command waits for the retry.

With --tag a worker of the queue runs the job only if its agent was started with the same
--tag; --tag 'gpu=*' is any tag with that key. Of several tags the worker needs all. A job
whose tags no worker has waits, and does not hold up those behind it; job show says so.
All different sets of tags that jobs require which have not ended take 64 MiB of memory
in a queue at most, some 35,000 of two tags, and 128 MiB in all; a job with one more is
refused.

--memory, --cpus and --pids need an agent with control groups (Linux, cgroup v2). One
without them does not run the job, and the job's log says so.

With --file it submits many jobs, one JSON object a line, and writes the ID of each:
  {"command": ["make", "test"], "env": {"A": "b"}, "queue": "linux",
   "tags": ["gpu=*"], "priority": 1, "timeout": "600s", "retries": 2, "idempotency_key": "test-1",
   "limits": {"memory": 1073741824, "cpus": 1.5, "pids": 100}}
All but the command may be left out; a job without a queue or tags has those of --queue
and --tag. A line that is refused is named, the others are submitted, and the command
exits with 1. Jobs with an idempotency_key are tried again for as long as --patience says,
and the same file can be submitted again: a job that is stored already is not stored twice.

` + exitCodes

// submission holds the flags of `job submit` that describe the job.
type submission struct {
	request              switchyardv1.SubmitJobRequest
	env                  []string
	envFile              string
	stdin                bool
	repo, commit, branch string
	timeout              time.Duration
	limits               wire.Limits
	file                 string
}

func newSubmission(cmd *cobra.Command) *submission {
	s := &submission{}
	s.request.Queue = wire.DefaultQueue
	flags := cli.Settings(cmd, "job")
	flags.Text(&s.request.Queue, "queue", "NAME", "queue whose workers may run the job")
	cli.List(flags, &s.request.Tags, "tag", "KEY=VALUE",
		"tag that a worker must have to run the job, or KEY=* for any value; may be repeated, for all of them", cli.Each(requiredTag))
	cli.List(flags, &s.env, "env,e", "NAME=VALUE", "variable of the job's environment; may be repeated", cli.Each(cli.AnyText))
	flags.File(&s.envFile, "env-file", "FILE", "file of more variables, one NAME=VALUE a line; # begins a comment, and --env replaces them")
	flags.Text(&s.repo, "repo", "URL", "git repository to check out into the job's working directory").Default("none")
	flags.Text(&s.commit, "commit", "COMMIT", "commit to check out: its hash, a tag, a branch, a complete reference, or HEAD").
		Default(wire.HeadCommit)
	flags.Text(&s.branch, "branch", "BRANCH", "branch, else tag or complete reference to check out when --commit is HEAD").
		Default("the repository's default branch")
	cli.Var(flags, &s.request.Priority, "priority", "NUMBER", "higher numbers run first", cli.Number[int32](math.MinInt32, math.MaxInt32))
	cli.Var(flags, &s.timeout, "timeout", "DURATION", "cancel the job after this running time", cli.NotNegative).Default("no limit")
	cli.Var(flags, &s.request.Retries, "retries", "NUMBER",
		fmt.Sprintf("times to run the job again if it is lost or ended by its agent, 0 to %d", wire.MaxRetries),
		cli.Number[int32](0, wire.MaxRetries))
	cli.Var(flags, &s.limits.Memory, "memory", "MIB",
		"most memory of the job with all its processes, which are killed beyond it; the agent's --job-memory applies if lower",
		cli.Mebibytes(wire.MaxMemoryLimit/cli.Mebibyte)).Default("no limit")
	cli.Var(flags, &s.limits.CPUs, "cpus", "CPUS",
		"most processors of the job, such as 1.5; the agent's --job-cpus applies if lower",
		cli.Decimal(wire.MinCPUs, wire.MaxCPUs)).Default("no limit")
	cli.Var(flags, &s.limits.PIDs, "pids", "NUMBER",
		"most processes and threads of the job; the agent's --job-pids applies if lower",
		cli.Number(1, math.MaxInt32)).Default("no limit")
	cli.PerCall(cmd).Text(&s.request.IdempotencyKey, "idempotency-key", "KEY", "submissions with the same key are the same job; "+
		"with --file, a job without a key has KEY-LINE")
	cli.PerCall(cmd).Bool(&s.stdin, "stdin",
		`run the script on standard input: with sh -c, or as the last argument of the command after "--"`)
	cli.PerCall(cmd).File(&s.file, "file", "FILE", "submit the jobs of a file, one JSON object a line; - is standard input")
	return s
}

// requiredTag parses a tag that the job requires.
func requiredTag(tag string) (string, error) {
	if strings.HasPrefix(tag, wire.QueueTag) {
		return "", errors.New("names the queue; use --queue")
	}
	return tag, wire.CheckRequiredTag(tag)
}

// read returns the request for the job whose command follows "--".
func (s *submission) read(cmd *cobra.Command, args []string) (*switchyardv1.SubmitJobRequest, error) {
	mark := cmd.ArgsLenAtDash()
	if s.stdin && mark <= 0 && len(args) == max(mark, 0) {
		mark, args = 0, []string{"sh", "-c"}
	}
	switch {
	case mark < 0 && len(args) > 0:
		return nil, cli.Usagef(cmd, `the command must follow "--": %s -- %s`, cmd.CommandPath(), present.Command(args))
	case mark < 0 || len(args) == 0:
		return nil, cli.Usagef(cmd, `no command; it must follow "--", as in: %s -- echo hello`, cmd.CommandPath())
	case mark > 0:
		return nil, cli.Usagef(cmd, `%q must stand after "--", with the command`, args[0])
	case args[0] == "":
		return nil, cli.Usagef(cmd, "the command must not be empty")
	case !s.stdin && runsStdin(args):
		return nil, cli.Usagef(cmd, "%s runs what it reads from standard input, and a job's is empty; "+
			"pass a script with --stdin, or as an argument, as in: %s -- sh -c 'SCRIPT'", args[0], cmd.CommandPath())
	}
	env, err := s.environment()
	if err != nil {
		return nil, cli.Usagef(cmd, "%w", err)
	}
	if s.stdin {
		script, err := readScript(cmd.InOrStdin())
		if err != nil {
			return nil, cli.Usagef(cmd, "%w", err)
		}
		args = append(args, script)
	}
	if err := s.addSource(env); err != nil {
		return nil, cli.Usagef(cmd, "%w", err)
	}
	s.request.Command, s.request.Env = args, env
	if s.timeout > 0 {
		s.request.Timeout = durationpb.New(s.timeout)
	}
	if s.limits != (wire.Limits{}) {
		s.request.Limits = &switchyardv1.Limits{
			Memory: uint64(s.limits.Memory), Cpus: s.limits.CPUs, Pids: int32(s.limits.PIDs), //nolint:gosec // bounded by the flags
		}
	}
	return &s.request, nil
}

// addSource adds the variables for the checkout to a job's environment.
func (s *submission) addSource(env map[string]string) error {
	if s.repo == "" {
		if s.commit != "" || s.branch != "" {
			return errors.New("--commit and --branch need --repo")
		}
		return nil
	}
	s.commit, s.branch = cmp.Or(s.commit, wire.HeadCommit), cmp.Or(s.branch, wire.HeadCommit)
	for _, flag := range [][2]string{{"commit", s.commit}, {"branch", s.branch}} {
		if err := wire.CheckRef(flag[1]); err != nil {
			return fmt.Errorf("--%s is %q: %w", flag[0], flag[1], err)
		}
	}
	if err := wire.CheckRepository(s.repo); err != nil {
		return fmt.Errorf("--repo %w", err)
	}
	env[wire.EnvRepo], env[wire.EnvCommit], env[wire.EnvBranch] = s.repo, s.commit, s.branch
	return nil
}

// jobSubmit returns `switchyard job submit`.
func (a *app) jobSubmit() *cobra.Command {
	cmd := cli.Command("submit [flags] {-- COMMAND [ARGUMENT...] | --stdin | --file FILE}", "submit a job", cobra.ArbitraryArgs)
	cmd.Long, cmd.DisableFlagsInUseLine = submitDescription, true
	var wait bool
	cli.Settings(cmd, "job").Bool(&wait, "wait,w", "write the log as it comes, and exit as the job does")
	s := newSubmission(cmd)
	c := connectionFlags(cmd)
	c.patienceFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if s.file != "" {
			if err := s.checkFile(cmd, args); err != nil {
				return err
			}
			return c.withClient(func(ctx context.Context, caller *client.Client, _ []string) error {
				ctx, stop := cli.Interruptible(ctx)
				defer stop()
				return a.submitFile(ctx, c, caller, s)
			})(cmd, args)
		}
		request, err := s.read(cmd, args)
		if err != nil {
			return err
		}
		return c.withClient(func(ctx context.Context, caller *client.Client, _ []string) error {
			ctx, stop := cli.Interruptible(ctx)
			defer stop()
			submitted, err := caller.Submit(ctx, request)
			switch {
			case err != nil:
				return uncertain(err)
			case wait:
				return a.waitForJob(ctx, c, caller, submitted)
			case c.JSON():
				return present.JSON(a.Stdout, submitted)
			default:
				return a.Printf("%s\n", submitted.GetJob().GetId())
			}
		})(cmd, args)
	}
	return cmd
}

// waitForJob follows a job, and the jobs that retry it, to the end. It returns the error
// with the exit code of the job.
func (a *app) waitForJob(ctx context.Context, c *connection, caller *client.Client, submitted *switchyardv1.SubmitJobResponse) error {
	id, stored := submitted.GetJob().GetId(), "is submitted"
	if submitted.GetExisted() {
		stored = "was submitted before, with this idempotency key"
	}
	a.Notef("job %s %s", id, stored)
	job, err := a.followToEnd(ctx, c, caller, id, client.FollowOptions{}, a.follower(c, true))
	if err != nil {
		return err
	}
	return cli.ExitWith(exitOfJob(job))
}

// followToEnd follows a job, and the jobs that retry it, to the end, and returns the last
// one, or the one before if its late result withdrew the last one.
func (a *app) followToEnd(
	ctx context.Context, c *connection, caller *client.Client, id string, options client.FollowOptions, follower client.Follower,
) (*switchyardv1.Job, error) {
	for before := ""; ; {
		job, err := caller.Follow(ctx, id, options, follower)
		if err != nil {
			return nil, a.stoppedWaiting(c, id, err)
		}
		if before != "" && isWithdrawn(job) {
			if job, err = lateEnd(ctx, caller, before); err != nil {
				return nil, a.stoppedWaiting(c, before, err)
			}
			a.Notef("the result of job %s arrived late: %s", before, present.Outcome(job))
		}
		retry := retryOf(job)
		if retry == "" {
			return job, nil
		}
		before, id, options.Expected = id, retry, true
		a.Notef("job %s retries it", id)
	}
}

// retryOf returns the ID of the job that retries a job, empty if there is none: a
// retry of a job that ended with a late result was withdrawn.
func retryOf(job *switchyardv1.Job) string {
	if job.GetLate() && job.GetState() != switchyardv1.JobState_JOB_STATE_LOST {
		return ""
	}
	return job.GetRetriedBy()
}

// isWithdrawn reports whether a retry was canceled because the job before it has a
// result: nobody asked for it, and it was not started.
func isWithdrawn(job *switchyardv1.Job) bool {
	return job.GetState() == switchyardv1.JobState_JOB_STATE_CANCELED && !job.GetCancelRequested() && job.GetStartedAt() == nil
}

const (
	// lateEndTimeout is how long a job may still be lost after its retry was withdrawn:
	// its end is stored next, by the next sweep at the latest.
	lateEndTimeout = 10 * time.Second
	lateEndPause   = 100 * time.Millisecond
)

// lateEnd waits for the end of a job whose retry was withdrawn, and returns the job.
func lateEnd(ctx context.Context, caller *client.Client, id string) (*switchyardv1.Job, error) {
	for waited := time.Duration(0); ; waited += lateEndPause {
		job, err := caller.Job(ctx, id)
		if err != nil || job.GetState() != switchyardv1.JobState_JOB_STATE_LOST || waited >= lateEndTimeout {
			return job, err
		}
		select {
		case <-time.After(lateEndPause):
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// follower returns what writes a job's events in the form of --output; with states
// people see its changes of state too.
func (a *app) follower(c *connection, states bool) client.Follower {
	narrator := present.Narrator{Out: a.Stdout, Notes: a.Stderr, States: states}
	if c.JSON() {
		return &present.JSONLines{Narrator: narrator}
	}
	return &narrator
}

// stoppedWaiting writes how to go on with a job after following it has failed with
// err, and returns the error for the exit code.
func (a *app) stoppedWaiting(c *connection, id string, err error) error {
	interrupted, ok := errors.AsType[cli.InterruptedError](err)
	if !ok {
		if failed, is := errors.AsType[*client.Error](err); is && failed.Uncertain() {
			a.Notef("job %s may go on; to follow it again: %s job logs --follow%s %s", id, called(), c.arguments(), id)
		}
		return err
	}
	a.Notef("job %s goes on; to cancel it: %s job cancel%s %s", id, called(), c.arguments(), id)
	return cli.ExitWith(cli.ExitSignal + int(interrupted.Signal))
}
