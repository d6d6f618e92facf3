package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"google.golang.org/protobuf/proto"

	"github.com/switchyard-ci/switchyard/internal/cli"
	"github.com/switchyard-ci/switchyard/internal/present"
	"github.com/switchyard-ci/switchyard/internal/telemetry"
)

const (
	formatText = "text"
	formatJSON = "json"
)

// output is the flag for the form of the output.
type output struct{ format string }

func outputFlag(cmd *cobra.Command) *output {
	o := &output{format: formatText}
	cli.Settings(cmd, "").Choice(&o.format, "output,o", "FORMAT",
		"text for people, or json for programs, one object on each line", formatText, formatJSON)
	return o
}

func (o *output) json() bool { return o.format == formatJSON }

// writeJSON writes a value as one line of JSON.
func (a *app) writeJSON(value any) error {
	line, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("encoding as JSON: %w", err)
	}
	return a.printf("%s\n", line)
}

// write writes a message as JSON, or as the text function does.
func write[M proto.Message](a *app, o *output, message M, text func(io.Writer, M) error) error {
	if o.json() {
		return present.JSON(a.stdout, message)
	}
	return text(a.stdout, message)
}

// writeRows writes messages as JSON, each on its line, or as a table.
func writeRows[M proto.Message](a *app, o *output, rows []M, table func(io.Writer, []M, time.Time) error) error {
	if !o.json() {
		return table(a.stdout, rows, time.Now())
	}
	for _, row := range rows {
		if err := present.JSON(a.stdout, row); err != nil {
			return err
		}
	}
	return nil
}

// changeEach changes what each of the IDs names, in order, and writes the results; line
// returns one of them as text. It goes on past a failure, writes a line about each, and
// returns an error at the end if there was one.
func changeEach[M proto.Message](
	ctx context.Context, a *app, o *output, ids []string, change func(id string) (M, error), line func(M) string,
) error {
	failed := 0
	for _, id := range ids {
		changed, err := change(id)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case err != nil && len(ids) == 1:
			return err
		case err != nil:
			failed++
			a.notef("%v", err)
			continue
		}
		err = write(a, o, changed, func(io.Writer, M) error { return a.printf("%s\n", line(changed)) })
		if err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d failed; see the lines above", failed, len(ids))
	}
	return nil
}

// logFlags are the flags for a daemon's own log.
type logFlags struct {
	level  zapcore.Level
	format telemetry.LogFormat

	levelFlag cli.Flag
	current   zap.AtomicLevel
}

func newLogFlags(cmd *cobra.Command, level zapcore.Level) *logFlags {
	l := &logFlags{level: level, format: telemetry.LogAuto, current: zap.NewAtomicLevel()}
	flags := cli.Settings(cmd, "")
	l.levelFlag = cli.Var(flags, &l.level, "log-level", "LEVEL", "lowest level to log: debug, info, warn or error", telemetry.ParseLogLevel)
	cli.Var(flags, &l.format, "log-format", "FORMAT",
		"console for people, json for programs, or auto: console on a terminal, else json", telemetry.ParseLogFormat)
	return l
}

// logger returns the logger, which writes to standard error.
func (l *logFlags) logger() *zap.Logger {
	l.current.SetLevel(l.level)
	return telemetry.NewLogger(os.Stderr, l.current, l.format)
}
