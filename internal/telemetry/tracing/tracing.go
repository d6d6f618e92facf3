// Package tracing exports traces by OTLP over HTTP, as the standard variables of
// OpenTelemetry say. Without them there is no exporter and no goroutine. Only the program
// switchyard links it: the exporter adds 6 MB to a program.
package tracing

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"
)

// closeTimeout bounds the export of the last spans.
const closeTimeout = 5 * time.Second

// protocol is the only protocol of the exporter.
const protocol = "http/protobuf"

// enabled reports whether the environment names where to export traces. It fails for a
// setting that cannot be followed.
func enabled(getenv func(string) string) (bool, error) {
	switch {
	case strings.EqualFold(getenv("OTEL_SDK_DISABLED"), "true"), getenv("OTEL_TRACES_EXPORTER") == "none":
		return false, nil
	case getenv("OTEL_EXPORTER_OTLP_ENDPOINT") == "" && getenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") == "":
		return false, nil
	}
	if exporter := getenv("OTEL_TRACES_EXPORTER"); exporter != "" && exporter != "otlp" {
		return false, fmt.Errorf("OTEL_TRACES_EXPORTER is %q, want otlp or none", exporter)
	}
	for _, name := range []string{"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"} {
		if value := getenv(name); value != "" && value != protocol {
			return false, fmt.Errorf("%s is %q, want %s", name, value, protocol)
		}
	}
	return true, nil
}

// Start returns the provider of spans that the environment asks for, nil if it asks for
// none, and a function that exports the last spans and ends it, which can be called for
// nil, too. service is the name of the service, unless OTEL_SERVICE_NAME has another one.
func Start(ctx context.Context, service string, logger *zap.Logger) (_ trace.TracerProvider, end func(), err error) {
	on, err := enabled(os.Getenv)
	if err != nil || !on {
		return nil, func() {}, err
	}
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		return nil, func() {}, fmt.Errorf("starting the export of traces: %w", err)
	}
	// Errors of a resource are about what is not known of this machine.
	described, _ := resource.New(ctx, resource.WithAttributes(attribute.String("service.name", service)),
		resource.WithTelemetrySDK(), resource.WithHost(), resource.WithFromEnv())
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		logger.Warn("failed to export traces", zap.Error(err))
	}))
	provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter), sdktrace.WithResource(described))
	return provider, func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTimeout)
		defer cancel()
		if err := provider.Shutdown(ctx); err != nil {
			logger.Warn("failed to export the last traces", zap.Error(err))
		}
	}, nil
}
