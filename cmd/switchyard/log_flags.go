package main

import (
	"os"

	"github.com/urfave/cli/v3"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/telemetry"
)

const (
	flagLogLevel  = "log-level"
	flagLogFormat = "log-format"
)

// logFlags say what is logged, to standard error; level is the default.
func (a *app) logFlags(level string) []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: flagLogLevel, Value: level, Usage: "log from `LEVEL` on: debug, info, warn or error",
			Sources:   a.settings.Value(flagLogLevel),
			Validator: func(name string) error { _, err := telemetry.ParseLogLevel(name); return err },
		},
		&cli.StringFlag{
			Name: flagLogFormat, Value: string(telemetry.LogAuto),
			Usage:     "log as `FORMAT`: console for people, json for programs, or auto: console on a terminal, else json",
			Sources:   a.settings.Value(flagLogFormat),
			Validator: func(name string) error { _, err := telemetry.ParseLogFormat(name); return err },
		},
	}
}

// logger is the logger that logFlags say.
func (a *app) logger(cmd *cli.Command) (*zap.Logger, error) {
	level, err := telemetry.ParseLogLevel(cmd.String(flagLogLevel))
	if err != nil {
		return nil, usage(cmd, "%w", err)
	}
	format, err := telemetry.ParseLogFormat(cmd.String(flagLogFormat))
	if err != nil {
		return nil, usage(cmd, "%w", err)
	}
	return telemetry.NewLogger(os.Stderr, level, format), nil
}
