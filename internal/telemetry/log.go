package telemetry

import (
	"fmt"
	"os"

	"github.com/mattn/go-isatty"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// LogFormat is how a line of the log is written.
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

// consoleTime is the time of day, to the millisecond; the day is not in doubt.
const consoleTime = "15:04:05.000"

// ParseLogFormat checks the name of a format.
func ParseLogFormat(name string) (LogFormat, error) {
	switch format := LogFormat(name); format {
	case LogAuto, LogConsole, LogJSON:
		return format, nil
	default:
		return "", fmt.Errorf("unknown log format %q; the formats are %s, %s, %s", name, LogAuto, LogConsole, LogJSON)
	}
}

// ParseLogLevel checks the name of the least level that is logged.
func ParseLogLevel(name string) (zapcore.Level, error) {
	switch name {
	case "debug", "info", "warn", "error":
		return zapcore.ParseLevel(name) //nolint:wrapcheck // it cannot fail on these
	default:
		return 0, fmt.Errorf("unknown log level %q; the levels are debug, info, warn, error", name)
	}
}

// NewLogger returns a logger that writes to out, which is standard error for a
// daemon. It writes each line at once and buffers nothing, so that the last line
// before the end of a process is not lost. It is safe for concurrent use.
func NewLogger(out *os.File, level zapcore.Level, format LogFormat) *zap.Logger {
	if format == LogAuto {
		format = LogJSON
		if isatty.IsTerminal(out.Fd()) || isatty.IsCygwinTerminal(out.Fd()) {
			format = LogConsole
		}
	}
	var encoder zapcore.Encoder
	if format == LogConsole {
		encoder = zapcore.NewConsoleEncoder(consoleEncoding())
	} else {
		encoder = zapcore.NewJSONEncoder(jsonEncoding())
	}
	return zap.New(zapcore.NewCore(encoder, zapcore.Lock(out), level))
}

func consoleEncoding() zapcore.EncoderConfig {
	encoding := zap.NewDevelopmentEncoderConfig()
	encoding.EncodeTime = zapcore.TimeEncoderOfLayout(consoleTime)
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	encoding.ConsoleSeparator = "  "
	encoding.CallerKey, encoding.StacktraceKey = zapcore.OmitKey, zapcore.OmitKey
	return encoding
}

func jsonEncoding() zapcore.EncoderConfig {
	encoding := zap.NewProductionEncoderConfig()
	encoding.TimeKey = "time"
	encoding.EncodeTime = zapcore.RFC3339NanoTimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	encoding.CallerKey, encoding.StacktraceKey = zapcore.OmitKey, zapcore.OmitKey
	return encoding
}
