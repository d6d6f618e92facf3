package main

import (
	"strings"

	"github.com/urfave/cli/v3"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/job"
)

// runFlags say how jobs are run.
func (a *app) runFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: flagBuildPath, Usage: "`DIR` in which each job gets a working directory of its own",
			DefaultText: buildsDir + " in the data directory",
			Sources:     a.settings.Value("agent.build-path"), TakesFile: true,
		},
		&cli.StringFlag{
			Name: flagBuildCleanup, Value: string(job.CleanupAlways),
			Usage:     "remove working directories by `POLICY`: always, on-success (keep those of jobs that failed) or never",
			Sources:   a.settings.Value("agent.build-cleanup"),
			Validator: func(name string) error { _, err := job.ParseCleanup(name); return err },
		},
		&cli.StringFlag{
			Name: flagShell, Usage: "`PROGRAM` with arguments, separated by spaces, that a job's script is appended to",
			DefaultText: "/bin/sh -e -c", Sources: a.settings.Value("agent.shell"),
		},
		&cli.StringFlag{
			Name: flagExecutor,
			Usage: "run `PROGRAM` for each job in place of the shell, with the job in its environment and in the files that " +
				"BUILDKITE_ENV_FILE and BUILDKITE_ENV_JSON_FILE name; checking code out is its business then",
			Sources: a.settings.Value("agent.executor"), TakesFile: true,
		},
		&cli.BoolFlag{
			Name: flagPty, Usage: "give each job a terminal of its own (not on Windows)", Sources: a.settings.Value("agent.pty"),
		},
		&cli.StringFlag{
			Name: flagCancelSignal, Value: defaultCancelSignal, Usage: "send `SIGNAL` to a canceled job first",
			Sources:   a.settings.Value("agent.cancel-signal"),
			Validator: func(name string) error { _, err := job.ParseSignal(name); return err },
		},
		&cli.DurationFlag{
			Name: flagCancelGrace, Value: defaultCancelGrace, Usage: "leave a canceled job `DURATION` from that signal to SIGKILL",
			Sources: a.settings.Value("agent.cancel-grace"), Validator: positive,
		},
	}
}

// logFlagsOfJobs say what becomes of what jobs say.
func (a *app) logFlagsOfJobs() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: flagSpoolPath, Usage: "`DIR` in which output and results are kept until the control plane has them; agents may share it",
			DefaultText: spoolDir + " in the data directory",
			Sources:     a.settings.Value("agent.spool-path"), TakesFile: true,
		},
		&cli.IntFlag{
			Name: flagSpoolSize, Value: defaultSpoolSize, Usage: "keep at most `MIB` of the output of one job there; past that it is cut",
			Sources: a.settings.Value("agent.spool-size"), Validator: between(1, maxSpoolSize),
		},
		&cli.StringSliceFlag{
			Name: flagRedactedVars, Value: job.DefaultRedactedVars(),
			Usage:     "hide values of variables whose names match `GLOB` in jobs' logs; may be repeated, replaces the default, none if empty",
			Sources:   a.settings.List("agent.redacted-vars"),
			Validator: func(globs []string) error { return job.CheckRedactedVars(splitAll(globs)) },
		},
		&cli.BoolFlag{
			Name: flagTimestampLines, Usage: "put the time at the start of each line of a job's log, as an escape sequence",
			Sources: a.settings.Value("agent.timestamp-lines"),
		},
	}
}

// jobOptions is what runFlags and logFlagsOfJobs say about how jobs are run.
func jobOptions(cmd *cli.Command, builds string) (job.Options, error) {
	cleanup, err := job.ParseCleanup(cmd.String(flagBuildCleanup))
	if err != nil {
		return job.Options{}, err
	}
	signal, err := job.ParseSignal(cmd.String(flagCancelSignal))
	if err != nil {
		return job.Options{}, err
	}
	options := job.Options{
		BuildPath:    builds,
		Cleanup:      cleanup,
		Shell:        strings.Fields(cmd.String(flagShell)),
		Pty:          cmd.Bool(flagPty),
		CancelSignal: signal,
		CancelGrace:  cmd.Duration(flagCancelGrace),

		SpoolSize:      int64(cmd.Int(flagSpoolSize)) << mebibyte,
		RedactedVars:   splitAll(cmd.StringSlice(flagRedactedVars)),
		TimestampLines: cmd.Bool(flagTimestampLines),
	}
	if program := cmd.String(flagExecutor); program != "" {
		if options.Executor, err = job.FindExecutor(program); err != nil {
			return job.Options{}, err
		}
	}
	return options.WithDefaults()
}

// inherit makes this process the one to which what jobs leave behind falls, and
// returns what ends that. An agent can go without: then it finds less.
func inherit(settings *agent.Config) func() {
	reaper, err := job.NewReaper()
	if err != nil {
		settings.Logger.Warn("processes that leave their job and its environment will not be found", zap.Error(err))
		return func() {}
	}
	settings.Job.Reaper = reaper
	return func() {
		if err := reaper.Close(); err != nil {
			settings.Logger.Warn("leaving", zap.Error(err))
		}
	}
}
