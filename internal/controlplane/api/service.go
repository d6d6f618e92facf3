package api

import (
	"context"
	"maps"
	"net/http"
	"slices"

	"connectrpc.com/connect"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/audit"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// Options are the settings of the handlers. Every field but Tracing, Metrics and Profiles is required.
type Options struct {
	// Store is what is backed up.
	Store *store.Store
	// Tokens are the tokens with which callers authenticate.
	Tokens *access.Tokens
	// Gate bounds the requests that are decoded at the same time.
	Gate *admission.Gate
	// Audit receives every change.
	Audit *audit.Log
	// Tracing receives a span for each call but streams; nil makes none.
	Tracing trace.TracerProvider
	// Metrics serves MetricsPath; nil is not found.
	Metrics http.Handler
	// Profiles serve profiles of this process, by path, for the method GET.
	Profiles map[string]http.Handler
	// Logger receives one line for each request that fails on the server's side.
	Logger *zap.Logger
}

// service is the common part of the services of switchyard.v1.
type service struct {
	dispatcher *dispatch.Dispatcher
	logger     *zap.Logger
}

// compressFrom is the size, in bytes, from which a response is compressed: gzip of one job
// took a twentieth of the CPU time of a control plane under load.
const compressFrom = 4 << 10

// MetricsPath is where Prometheus reads metrics, with the token of a caller who may read.
const MetricsPath = "/metrics"

// Calls returns the path of every call that Handlers serve.
func Calls() []string { return slices.Sorted(maps.Keys(rules)) }

// Handlers returns the handlers of switchyard.v1, of metrics and of profiles, by path. A request of
// the streams FollowJob and Backup lasts until the job has ended, or everything was sent:
// the server must set no time limit on it, and cancels its context when it shuts down. The
// caller closes the
// dispatcher.
func Handlers(dispatcher *dispatch.Dispatcher, options Options) map[string]http.Handler {
	base := service{dispatcher: dispatcher, logger: options.Logger}
	handlerOptions := []connect.HandlerOption{
		connect.WithInterceptors(traced(options.Tracing)...),
		connect.WithInterceptors(
			lasting{options.Tokens}, decoded{}, connect.UnaryInterceptorFunc(answered), audited{options.Audit},
		),
		connect.WithConditionalHandlerOptions(bounds),
		connect.WithCompressMinBytes(compressFrom),
		connect.WithHandlerOptions(codecs()...),
	}
	if options.Metrics == nil {
		options.Metrics = http.NotFoundHandler()
	}
	guarded := guard{
		tokens: options.Tokens, gate: options.Gate, logger: options.Logger,
		refusals: refusal.New(options.Logger), errors: connect.NewErrorWriter(),
	}
	jobsPath, jobs := switchyardv1connect.NewJobServiceHandler(&jobService{base}, handlerOptions...)
	workersPath, workers := switchyardv1connect.NewWorkerServiceHandler(&workerService{base, options.Tokens.Name}, handlerOptions...)
	tokensPath, tokens := switchyardv1connect.NewTokenServiceHandler(&tokenService{base, options.Tokens}, handlerOptions...)
	queuesPath, queues := switchyardv1connect.NewQueueServiceHandler(&queueService{base}, handlerOptions...)
	backupPath, backup := switchyardv1connect.NewBackupServiceHandler(&backupService{base, options.Store}, handlerOptions...)
	auditPath, auditing := switchyardv1connect.NewAuditServiceHandler(&auditService{base, options.Store}, handlerOptions...)
	handlers := map[string]http.Handler{
		"GET " + MetricsPath: guarded.wrap(options.Metrics),
		backupPath:           guarded.wrap(backup), auditPath: guarded.wrap(auditing),
		jobsPath: guarded.wrap(jobs), workersPath: guarded.wrap(workers), queuesPath: guarded.wrap(queues), tokensPath: guarded.wrap(tokens),
	}
	for path, handler := range options.Profiles {
		handlers["GET "+path] = guarded.wrap(handler)
	}
	return handlers
}

// answered is an interceptor that has all requests of a call to the store end in time for
// its answer, whose caller waits.
func answered(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		return next(store.Within(ctx, store.UserTimeout), req)
	}
}

// bounds returns the limit of the request of a call.
func bounds(spec connect.Spec) []connect.HandlerOption {
	return []connect.HandlerOption{connect.WithReadMaxBytes(rules[spec.Procedure].maxBytes)}
}
