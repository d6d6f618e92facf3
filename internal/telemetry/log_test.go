package telemetry

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

func TestNewLogger(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		format LogFormat
		level  zapcore.Level
		want   string // a pattern for the whole log
	}{
		{"console", LogConsole, zapcore.InfoLevel, `^\d\d:\d\d:\d\d\.\d{3}  INFO  accepted  \{"job_id": "01B", "after": "3ms"\}\n$`},
		{"json", LogJSON, zapcore.InfoLevel, `^\{"level":"info","time":"[^"]+","msg":"accepted","job_id":"01B","after":"3ms"\}\n$`},
		{"json if out is not a terminal", LogAuto, zapcore.InfoLevel, `^\{"level":"info",`},
		{"a level that is not logged", LogJSON, zapcore.WarnLevel, `^$`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "log")
			out, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			logger := NewLogger(out, tt.level, tt.format)
			logger.Info("accepted", zap.String("job_id", "01B"), zap.Duration("after", 3*time.Millisecond))
			written, err := os.ReadFile(path) // before the file is closed: nothing is buffered
			if err != nil {
				t.Fatal(err)
			}
			if !regexp.MustCompile(tt.want).Match(written) {
				t.Errorf("log %q, want %s", written, tt.want)
			}
			if tt.format == LogJSON && len(written) > 0 && !json.Valid(written) {
				t.Errorf("log %q is not JSON", written)
			}
			if err := out.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]zapcore.Level{
		"debug": zapcore.DebugLevel, "info": zapcore.InfoLevel, "warn": zapcore.WarnLevel, "error": zapcore.ErrorLevel,
	} {
		if got, err := ParseLogLevel(name); err != nil || got != want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	for _, name := range []string{"", "INFO", "panic"} {
		if _, err := ParseLogLevel(name); err == nil {
			t.Errorf("level %q was accepted", name)
		}
	}
	for _, name := range []string{"auto", "console", "json"} {
		if got, err := ParseLogFormat(name); err != nil || string(got) != name {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
	if _, err := ParseLogFormat("xml"); err == nil {
		t.Error(`format "xml" was accepted`)
	}
}
