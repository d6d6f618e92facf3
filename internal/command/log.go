package command

import (
	"os"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
)

// LogFlags are the flags for a daemon's own log.
type LogFlags struct {
	level  zapcore.Level
	format telemetry.LogFormat

	levelFlag cli.Flag
	current   zap.AtomicLevel
}

// NewLogFlags declares the flags. level is the default.
func NewLogFlags(cmd *cobra.Command, level zapcore.Level) *LogFlags {
	l := &LogFlags{level: level, format: telemetry.LogAuto, current: zap.NewAtomicLevel()}
	flags := cli.Settings(cmd, "")
	l.levelFlag = cli.Var(flags, &l.level, "log-level", "LEVEL", "lowest level to log: debug, info, warn or error", telemetry.ParseLogLevel)
	cli.Var(flags, &l.format, "log-format", "FORMAT",
		"console for people, json for programs, or auto: console on a terminal, else json", telemetry.ParseLogFormat)
	return l
}

// Logger returns the logger, which writes to standard error.
func (l *LogFlags) Logger() *zap.Logger {
	l.current.SetLevel(l.level)
	return telemetry.NewLogger(os.Stderr, l.current, l.format)
}
