package telemetry

import (
	"errors"
	"fmt"
	"os"

	"github.com/mattn/go-isatty"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// LogFormat is the format of a line of the log.
type LogFormat string

// The formats of the log.
const (
	// LogAuto is LogConsole on a terminal and LogJSON anywhere else.
	LogAuto LogFormat = "auto"
	// LogConsole is for people.
	LogConsole LogFormat = "console"
	// LogJSON is one JSON object a line.
	LogJSON LogFormat = "json"
)

// consoleTime is the layout of a time on a terminal, without the date.
const consoleTime = "15:04:05.000"

// ParseLogFormat returns the format with that name.
func ParseLogFormat(name string) (LogFormat, error) {
	switch format := LogFormat(name); format {
	case LogAuto, LogConsole, LogJSON:
		return format, nil
	default:
		return "", fmt.Errorf("must be %s, %s or %s", LogAuto, LogConsole, LogJSON)
	}
}

// ParseLogLevel returns the level with that name; less important lines are not
// logged.
func ParseLogLevel(name string) (zapcore.Level, error) {
	switch name {
	case "debug", "info", "warn", "error":
		return zapcore.ParseLevel(name) //nolint:wrapcheck // these names are valid
	default:
		return 0, errors.New("must be debug, info, warn or error")
	}
}

// NewLogger returns a logger that writes to out, one line an event. level may be a
// zap.AtomicLevel, which can be changed while the logger is in use. A line is
// written at once, not buffered, so that a crash loses none. The logger may be
// used concurrently.
func NewLogger(out *os.File, level zapcore.LevelEnabler, format LogFormat) *zap.Logger {
	if format == LogAuto {
		format = LogJSON
		if isatty.IsTerminal(out.Fd()) || isatty.IsCygwinTerminal(out.Fd()) {
			format = LogConsole
		}
	}
	encoding, newEncoder := zap.NewProductionEncoderConfig(), zapcore.NewJSONEncoder
	encoding.TimeKey = "time"
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	if format == LogConsole {
		encoding, newEncoder = zap.NewDevelopmentEncoderConfig(), zapcore.NewConsoleEncoder
		encoding.EncodeTime = zapcore.TimeEncoderOfLayout(consoleTime)
		encoding.ConsoleSeparator = "  "
	}
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	encoding.CallerKey, encoding.StacktraceKey = zapcore.OmitKey, zapcore.OmitKey
	return zap.New(zapcore.NewCore(newEncoder(encoding), zapcore.Lock(out), level))
}
