package command

import (
	"errors"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/cli"
)

// Reloader returns what a daemon does at SIGHUP in a service: it reads the log level
// again, calls reload, which returns the names of what it has changed, and logs one
// line about all of it.
func (l *LogFlags) Reloader(cmd *cobra.Command, logger *zap.Logger, reload func() (changed []string, err error)) func() {
	return func() {
		changed, reloadErr := reload()
		before := l.current.Level()
		levelErr := cli.Reread(cmd, l.levelFlag)
		if l.level != before {
			changed = append(changed, "log level")
		}
		l.current.SetLevel(min(before, l.level, zapcore.InfoLevel)) // the line is for the one who has sent the signal
		if err := errors.Join(reloadErr, levelErr); err != nil {
			logger.Error("not all settings were reloaded; the old values of those that failed stay in use",
				zap.Strings("changed", changed), zap.Error(err))
		} else {
			logger.Info("settings reloaded", zap.Strings("changed", changed))
		}
		l.current.SetLevel(l.level)
	}
}
