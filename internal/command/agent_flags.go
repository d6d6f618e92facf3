package command

import (
	"math"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/job/workspace"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	maxSize = 1 << 30 // in MiB; no file system holds more

	// Directories in the data directory that are used when none are named.
	buildsDir = "builds"
	spoolDir  = "spool"
)

// AgentFlags are the flags of an agent, for `agent start` and `up`.
type AgentFlags struct {
	// Config is what the flags are bound to.
	Config agent.Config

	dataDir *DataDir
}

// NewAgentFlags returns the defaults. Its caller may bind more flags to the
// configuration, and then calls declare.
func NewAgentFlags(dir *DataDir) *AgentFlags {
	return &AgentFlags{dataDir: dir, Config: agent.Config{
		Endpoints: []string{agent.DefaultEndpoint}, Queue: wire.DefaultQueue, Spawn: 1, Version: ReadVersion().Version,
		TransitionLogSize: telemetry.DefaultTransitionLogSize,
		Job:               jobDefaults(),
	}}
}

// Declare declares the flags that `agent start` and `up` share.
func (f *AgentFlags) Declare(cmd *cobra.Command) {
	c := &f.Config
	flags := cli.Settings(cmd, "agent")
	flags.Text(&c.Name, "name", "NAME", "name of the workers; several workers get a number after it").Default("the host's name")
	flags.Text(&c.Queue, "queue", "NAME", "queue to take jobs from")
	cli.List(flags, &c.Tags, "tag", "KEY=VALUE", "tag of the workers; may be repeated", cli.Each(cli.AnyText))
	cli.Var(flags, &c.Spawn, "spawn", "NUMBER", "number of workers, 1 to "+strconv.Itoa(agent.MaxSpawn)+
		"; each runs one job at a time", cli.Number(1, agent.MaxSpawn))
	cli.Var(flags, &c.Mode, "mode", "MODE", "how workers get jobs: auto (by stream, else by polling), stream-only or poll-only", parseMode)
	f.jobFlags(flags)
	cli.Var(flags, &c.SilenceLimit, "silence-limit", "DURATION",
		"poll after this time without a message on the stream", cli.NotNegative).
		Default("2.5 times what the control plane announces, else 150s")
	cli.Var(flags, &c.StreamProtocol, "stream-protocol", "PROTOCOL",
		"protocol of the stream: grpc, connect, or auto: gRPC, and Connect where a proxy drops what gRPC needs",
		transport.ParseStreamProtocol)
	flags.Bool(&c.DisconnectAfterJob, "disconnect-after-job", "stop each worker after one job")
	cli.Var(flags, &c.DisconnectAfterIdle, "disconnect-after-idle", "DURATION",
		"stop when no worker has had a job for this time", cli.NotNegative).Default("never")
	cli.Var(flags, &c.DisconnectAfterUptime, "disconnect-after-uptime", "DURATION",
		"stop after this time, when the jobs that run have finished", cli.NotNegative).Default("never")
	TransitionLogFlag(cmd, &c.TransitionLog)
	cli.Var(flags, &c.TransitionLogSize, "transition-log-size", "MIB",
		"size at which a new file of the transition log begins; four older ones are kept, FILE.1 to FILE.4", cli.Mebibytes(cli.Mebibyte)).
		Default(strconv.Itoa(telemetry.DefaultTransitionLogSize / cli.Mebibyte))
}

// jobFlags declares the flags for how jobs run.
func (f *AgentFlags) jobFlags(flags cli.Flags) {
	c := &f.Config.Job
	flags.File(&c.BuildPath, "build-path", "DIR", "directory in which each job gets its own working directory").
		Default(buildsDir + " in the data directory")
	cli.Var(flags, &c.Cleanup, "build-cleanup", "POLICY",
		"when to remove working directories: always, on-success (keep those of failed jobs) or never", workspace.ParseCleanup)
	cli.Var(flags, &c.Shell, "shell", "PROGRAM", "program with arguments, separated by spaces, that a job's script is appended to",
		job.ParseShell).Default(strings.Join(c.Shell, " "))
	cli.Var(flags, &c.Executor, "executor", "PROGRAM",
		"program to run for each job in place of the shell; it gets the job in its environment and in "+
			"the files that BUILDKITE_ENV_FILE and BUILDKITE_ENV_JSON_FILE name, and checks code out itself", job.FindExecutor)
	cli.Var(flags, &c.NoSubmodules, "git-submodules", "bool", "check out the submodules of a job's repository, too", cli.Not).Default("true")
	flags.Bool(&c.PTY, "pty", "run each job on a terminal of its own (not on Windows)")
	cli.Var(flags, &c.CancelSignal, "cancel-signal", "SIGNAL", "first signal for a canceled job", process.ParseSignal).Default("SIGTERM")
	cli.Var(flags, &c.CancelGrace, "cancel-grace", "DURATION", "time from that signal to SIGKILL", cli.Positive)
	cli.Var(flags, &c.Limits.Memory, "job-memory", "MIB",
		"most memory of one job with all its processes, which are killed beyond it (Linux, cgroup v2)", cli.Mebibytes(maxSize)).
		Default("no limit")
	cli.Var(flags, &c.Limits.CPUs, "job-cpus", "CPUS",
		"most processors of one job, such as 1.5 (Linux, cgroup v2)", cli.Decimal(wire.MinCPUs, wire.MaxCPUs)).Default("no limit")
	cli.Var(flags, &c.Limits.PIDs, "job-pids", "NUMBER",
		"most processes and threads of one job (Linux, cgroup v2)", cli.Number(1, math.MaxInt32)).Default("no limit")
	flags.File(&f.Config.SpoolPath, "spool-path", "DIR",
		"directory of output and results that the control plane does not have yet; agents may share it").
		Default(spoolDir + " in the data directory")
	cli.Var(flags, &c.SpoolSize, "spool-size", "MIB", "most output of one job to keep there; more is cut", cli.Mebibytes(maxSize)).
		Default(strconv.FormatInt(c.SpoolSize/cli.Mebibyte, 10))
	cli.List(flags, &c.RedactedVars, "redacted-vars", "GLOB",
		"hide the values of variables with such names in jobs' logs; may be repeated, replaces the default, none if empty", parseGlobs)
	flags.Bool(&c.TimestampLines, "timestamp-lines", "put the time at the start of each line of a job's log, as an escape sequence")
}

// jobDefaults returns the defaults of the options, without a build path.
func jobDefaults() job.Settings {
	o, _ := job.Settings{BuildPath: buildsDir, Cleanup: workspace.CleanupAlways}.WithDefaults() // with a build path it cannot fail
	o.BuildPath = ""
	return o
}

// TransitionLogFlag declares the flag for the file of the transition log.
func TransitionLogFlag(cmd *cobra.Command, target *string) {
	cli.Settings(cmd, "agent").File(target, "transition-log", "FILE",
		"file for every event of a worker and the transition that its machine took, for fsm replay")
}

// Read returns the configuration that the flags describe.
func (f *AgentFlags) Read(cmd *cobra.Command, logger *zap.Logger) (agent.Config, error) {
	c := f.Config
	c.Logger = logger
	for path, name := range map[*string]string{&c.Job.BuildPath: buildsDir, &c.SpoolPath: spoolDir} {
		if *path != "" {
			continue
		}
		dir, err := f.dataDir.Resolve()
		if err != nil {
			return c, err
		}
		*path = filepath.Join(dir, name)
	}
	var err error
	if c.Job, err = c.Job.WithDefaults(); err != nil {
		return c, cli.Usagef(cmd, "%w", err)
	}
	return c, nil
}

// parseMode parses a mode that `agent start` can have; acquire has a flag of its
// own.
func parseMode(text string) (fsm.Mode, error) {
	if _, err := cli.OneOf(fsm.Auto.String(), fsm.StreamOnly.String(), fsm.PollOnly.String())(text); err != nil {
		return 0, err
	}
	mode, _ := fsm.ParseMode(text)
	return mode, nil
}

// parseGlobs parses globs that are separated by commas.
func parseGlobs(text string) ([]string, error) {
	globs := strings.FieldsFunc(text, func(r rune) bool { return r == ',' })
	return globs, job.CheckRedactedVars(globs)
}
