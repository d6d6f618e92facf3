package api

import (
	"net/http"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// maxRequestBytes bounds a request: the largest job, with room for its framing
// and for JSON, which writes some bytes as six.
const maxRequestBytes = 6*dispatch.MaxJobSize + 64<<10

// Options say who is let in. Every field is required.
type Options struct {
	// AdminToken is the hash of the token that every call must show.
	AdminToken token.Hash
	// Logger gets a line for each failure that is the server's own.
	Logger *zap.Logger
}

// service is what both services of switchyard.v1 stand on.
type service struct {
	dispatcher *dispatch.Dispatcher
	logger     *zap.Logger
}

// Handlers are the handlers of switchyard.v1 by their paths. The job service has
// a stream, FollowJob, whose requests last as long as their job: a server must
// not bound them as a whole, and cancels their contexts when it shuts down. The
// dispatcher stays the caller's.
func Handlers(dispatcher *dispatch.Dispatcher, options Options) map[string]http.Handler {
	base := service{dispatcher: dispatcher, logger: options.Logger}
	handlerOptions := []connect.HandlerOption{
		connect.WithInterceptors(requireAdmin{token: options.AdminToken}),
		connect.WithReadMaxBytes(maxRequestBytes),
	}
	jobsPath, jobs := switchyardv1connect.NewJobServiceHandler(&jobService{base}, handlerOptions...)
	agentsPath, workers := switchyardv1connect.NewWorkerServiceHandler(&workerService{base}, handlerOptions...)
	return map[string]http.Handler{jobsPath: jobs, agentsPath: workers}
}
