package api

import (
	"net/http"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// maxRequestBytes bounds a request: the largest job, in JSON, which may need six
// bytes for one, and 64 KiB for everything else.
const maxRequestBytes = 6*dispatch.MaxJobSize + 64<<10

// Options are the settings of the handlers. Every field is required.
type Options struct {
	// AdminToken is the hash of the token that every call requires. It may be replaced
	// at any time.
	AdminToken *token.Current
	// Logger receives one line for each request that fails on the server's side.
	Logger *zap.Logger
}

// service is the common part of both services of switchyard.v1.
type service struct {
	dispatcher *dispatch.Dispatcher
	logger     *zap.Logger
}

// Handlers returns the handlers of switchyard.v1 by path. A request of the stream
// FollowJob lasts until the job has ended: the server must set no time limit on
// it, and cancels its context when it shuts down. The caller closes the
// dispatcher.
func Handlers(dispatcher *dispatch.Dispatcher, options Options) map[string]http.Handler {
	base := service{dispatcher: dispatcher, logger: options.Logger}
	handlerOptions := []connect.HandlerOption{
		connect.WithInterceptors(requireAdmin{token: options.AdminToken, refusals: refusal.New(options.Logger)}),
		connect.WithReadMaxBytes(maxRequestBytes),
		connect.WithHandlerOptions(strictJSONCodecs()...),
	}
	jobsPath, jobs := switchyardv1connect.NewJobServiceHandler(&jobService{base}, handlerOptions...)
	workersPath, workers := switchyardv1connect.NewWorkerServiceHandler(&workerService{base}, handlerOptions...)
	return map[string]http.Handler{jobsPath: jobs, workersPath: workers}
}
