package worker

import (
	"strings"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/switchyard-ci/switchyard/internal/job"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// logEnd logs how a job has ended. It is the only line about a job that ended without an
// error on this machine at level info; the others are at level debug.
func logEnd(logger *zap.Logger, accepted wire.Job, result job.Result, err error) {
	level := zapcore.InfoLevel
	if err != nil {
		level = zapcore.ErrorLevel
	}
	entry := logger.Check(level, "job ended")
	if entry == nil {
		return
	}
	fields := []zap.Field{
		zap.String("job_id", accepted.ID), zap.String("command", summaryOf(accepted.Env[wire.EnvCommand])),
	}
	if result.ExitStatus != wire.ExitStatusNeverRan { // else the signal or the reason says how
		fields = append(fields, zap.String("exit_status", result.ExitStatus))
	}
	if result.Signal != "" {
		fields = append(fields, zap.String("signal", result.Signal))
	}
	if result.SignalReason != "" {
		fields = append(fields, zap.String("reason", result.SignalReason))
	}
	if finished, parseErr := time.Parse(time.RFC3339Nano, result.FinishedAt); parseErr == nil && !result.StartedAt.IsZero() {
		fields = append(fields, zap.Duration("duration", max(0, finished.Sub(result.StartedAt)).Round(time.Microsecond)))
	}
	if usage := result.Usage; usage != (wire.Usage{}) {
		cpu := time.Duration(usage.CPUMicros) * time.Microsecond
		fields = append(fields, zap.Duration("cpu", cpu))
		if usage.PeakMemory > 0 {
			fields = append(fields, zap.Int64("peak_memory_bytes", usage.PeakMemory))
		}
		if usage.MemoryLimit > 0 {
			fields = append(fields, zap.Int64("memory_limit_exceeded_bytes", usage.MemoryLimit))
		}
	}
	fields = append(fields, zap.Uint64("log_bytes", result.OutputBytes))
	if err != nil {
		fields = append(fields, zap.Error(err))
	}
	entry.Write(fields...)
}

// maxCommand is the most bytes of a command that are logged.
const maxCommand = 100

// summaryOf returns the beginning of the first line of a command, without the secrets of
// its URLs.
func summaryOf(command string) string {
	line, _, more := strings.Cut(strings.TrimSpace(wire.HideURLSecrets(command)), "\n")
	if len(line) > maxCommand {
		line, more = strings.ToValidUTF8(line[:maxCommand], ""), true
	}
	if more {
		line += "…"
	}
	return line
}
