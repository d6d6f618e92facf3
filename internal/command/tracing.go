package command

import (
	"context"
	"os"

	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

// StartTracing starts the export of the traces of a service, if the environment asks for
// it. It returns nil if it does not, and a function that ends the export. A program that
// cannot export says so; jobs keep their traces all the same.
func (a *App) StartTracing(ctx context.Context, service string, logger *zap.Logger) (trace.TracerProvider, func(), error) {
	if a.Tracing != nil {
		return a.Tracing(ctx, service, logger)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"} {
		if os.Getenv(name) != "" {
			logger.Warn("this program exports no traces; jobs are still a part of those of their submitters, "+
				"and `switchyard agent start` exports its own spans", zap.String("variable", name))
			break
		}
	}
	return nil, func() {}, nil
}
