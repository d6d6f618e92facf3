package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/switchyard-ci/switchyard/fsm"
	"github.com/switchyard-ci/switchyard/internal/agent"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
	"github.com/switchyard-ci/switchyard/internal/wire"
	"github.com/switchyard-ci/switchyard/transport"
)

const (
	flagTransitionLog     = "transition-log"
	flagTransitionLogSize = "transition-log-size"
	maxTransitionLogSize  = 1 << 20 // in MiB, which is as good as no limit
	mebibyte              = 20      // bits

	flagToken         = "token"
	flagExtraCAFile   = "extra-ca-file"
	flagTLSMinVersion = "tls-min-version"

	flagClientCert = "client-cert"
	flagClientKey  = "client-key"
	flagAcquireJob = "acquire-job"

	flagName             = "name"
	flagTag              = "tag"
	flagSpawn            = "spawn"
	flagMode             = "mode"
	flagBuildPath        = "build-path"
	flagSpoolPath        = "spool-path"
	flagSpoolSize        = "spool-size"
	flagBuildCleanup     = "build-cleanup"
	flagShell            = "shell"
	flagExecutor         = "executor"
	flagPty              = "pty"
	flagCancelSignal     = "cancel-signal"
	flagCancelGrace      = "cancel-grace"
	flagRedactedVars     = "redacted-vars"
	flagTimestampLines   = "timestamp-lines"
	flagSilenceLimit     = "silence-limit"
	flagStreamProtocol   = "stream-protocol"
	flagDisconnectJob    = "disconnect-after-job"
	flagDisconnectIdle   = "disconnect-after-idle"
	flagDisconnectUptime = "disconnect-after-uptime"

	// buildsDir is where jobs run, in the data directory, unless it is said.
	buildsDir = "builds"
	// spoolDir is where what is owed is kept, in the data directory, unless it is
	// said.
	spoolDir         = "spool"
	defaultSpoolSize = 1 << 10 // in MiB
	maxSpoolSize     = 1 << 30 // in MiB, which is as good as no limit

	defaultCancelGrace  = 10 * time.Second
	defaultCancelSignal = "SIGTERM"
)

// workerFlags say how the workers of an agent behave; `agent start` and `up`
// have them.
func (a *app) workerFlags() []cli.Flag {
	return slices.Concat([]cli.Flag{
		&cli.StringFlag{
			Name: flagName, Usage: "`NAME` of the workers; with several, each gets a number behind it", DefaultText: "the host's name",
			Sources: a.settings.Value("agent.name"),
		},
		&cli.StringFlag{
			Name: flagQueue, Value: wire.DefaultQueue, Usage: "`NAME` of the queue to take jobs from",
			Sources: a.settings.Value("agent.queue"),
		},
		&cli.StringSliceFlag{
			Name: flagTag, Usage: "`KEY=VALUE` that says something about the workers; may be repeated",
			Sources: a.settings.List("agent.tag"),
		},
		&cli.IntFlag{
			Name: flagSpawn, Value: 1, Usage: fmt.Sprintf("`NUMBER` of workers, 1 to %d, each running one job at a time", agent.MaxSpawn),
			Sources: a.settings.Value("agent.spawn"), Validator: between(1, agent.MaxSpawn),
		},
		&cli.StringFlag{
			Name: flagMode, Value: fsm.Auto.String(),
			Usage:   "how workers may get work, `MODE`: auto (stream, else polling), stream-only or poll-only",
			Sources: a.settings.Value("agent.mode"), Validator: oneOf(fsm.Auto.String(), fsm.StreamOnly.String(), fsm.PollOnly.String()),
		},
	}, a.runFlags(), a.logFlagsOfJobs(), []cli.Flag{
		&cli.DurationFlag{
			Name: flagSilenceLimit, Usage: "take a stream for lost after `DURATION` without a message",
			DefaultText: "what the control plane announces; else 150s over HTTP/1.1, and none over HTTP/2",
			Sources:     a.settings.Value("agent.silence-limit"), Validator: notNegative[time.Duration],
		},
		&cli.StringFlag{
			Name: flagStreamProtocol, Value: transport.StreamAuto.String(),
			Usage:     "speak `PROTOCOL` on the stream: grpc, connect, or auto: gRPC, and Connect where a proxy drops what gRPC needs",
			Sources:   a.settings.Value("agent.stream-protocol"),
			Validator: func(name string) error { _, err := transport.ParseStreamProtocol(name); return err },
		},
		&cli.BoolFlag{
			Name: flagDisconnectJob, Usage: "have each worker leave after one job",
			Sources: a.settings.Value("agent.disconnect-after-job"),
		},
		&cli.DurationFlag{
			Name: flagDisconnectIdle, Usage: "leave when all workers have been without work for `DURATION`", DefaultText: "stay",
			Sources: a.settings.Value("agent.disconnect-after-idle"), Validator: notNegative[time.Duration],
		},
		&cli.DurationFlag{
			Name: flagDisconnectUptime, Usage: "leave after `DURATION`, once what runs is finished", DefaultText: "stay",
			Sources: a.settings.Value("agent.disconnect-after-uptime"), Validator: notNegative[time.Duration],
		},
		a.transitionLogFlag(),
		&cli.IntFlag{
			Name: flagTransitionLogSize, Value: telemetry.DefaultTransitionLogSize >> mebibyte,
			Usage:   "begin a new file of the transition log at `MIB`; the four before it are kept, as FILE.1 to FILE.4",
			Sources: a.settings.Value("agent.transition-log-size"), Validator: between(1, maxTransitionLogSize),
		},
	})
}

// transitionLogFlag names the file of the transition log.
func (a *app) transitionLogFlag() cli.Flag {
	return &cli.StringFlag{
		Name: flagTransitionLog, Usage: "write every event of a worker, and what its machine answered, to `FILE`, for fsm replay",
		Sources: a.settings.Value("agent.transition-log"), TakesFile: true,
	}
}

// inDataDir is what a flag says, or a folder of that name in the data directory.
func inDataDir(cmd *cli.Command, flag, name string) (string, error) {
	if path := cmd.String(flag); path != "" {
		return path, nil
	}
	dir, err := dataDir(cmd)
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, name), nil
}

// agentConfig is what workerFlags and logFlags say.
func (a *app) agentConfig(cmd *cli.Command) (agent.Config, error) {
	mode, ok := fsm.ParseMode(cmd.String(flagMode))
	if !ok { // the flag lets nothing else through
		return agent.Config{}, usage(cmd, "unknown mode %q", cmd.String(flagMode))
	}
	protocol, err := transport.ParseStreamProtocol(cmd.String(flagStreamProtocol))
	if err != nil {
		return agent.Config{}, usage(cmd, "%w", err)
	}
	builds, err := inDataDir(cmd, flagBuildPath, buildsDir)
	if err != nil {
		return agent.Config{}, err
	}
	owed, err := inDataDir(cmd, flagSpoolPath, spoolDir)
	if err != nil {
		return agent.Config{}, err
	}
	options, err := jobOptions(cmd, builds)
	if err != nil {
		return agent.Config{}, usage(cmd, "%w", err)
	}
	logger, err := a.logger(cmd)
	if err != nil {
		return agent.Config{}, err
	}
	options.Logger = logger
	return agent.Config{
		Name:                  cmd.String(flagName),
		Queue:                 cmd.String(flagQueue),
		Tags:                  cmd.StringSlice(flagTag),
		Spawn:                 cmd.Int(flagSpawn),
		Mode:                  mode,
		DisconnectAfterJob:    cmd.Bool(flagDisconnectJob),
		DisconnectAfterIdle:   cmd.Duration(flagDisconnectIdle),
		DisconnectAfterUptime: cmd.Duration(flagDisconnectUptime),
		SilenceLimit:          cmd.Duration(flagSilenceLimit),
		StreamProtocol:        protocol,
		TransitionLog:         cmd.String(flagTransitionLog),
		TransitionLogSize:     int64(cmd.Int(flagTransitionLogSize)) << mebibyte,
		SpoolPath:             owed,
		Job:                   options,
		Version:               readVersion().Version,
		Logger:                logger,
	}, nil
}
