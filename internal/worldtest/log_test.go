package worldtest

import (
	"os"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// fileLogger returns a logger that writes one line of JSON for each entry.
func fileLogger(file *os.File) *zap.Logger {
	return zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.Lock(file), zap.DebugLevel))
}
