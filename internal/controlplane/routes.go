package controlplane

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"connectrpc.com/grpchealth"

	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/agentwire"
	"github.com/switchyard-ci/switchyard/internal/controlplane/api"
	"github.com/switchyard-ci/switchyard/internal/controlplane/detach"
	"github.com/switchyard-ci/switchyard/internal/controlplane/metrics"
	"github.com/switchyard-ci/switchyard/internal/controlplane/profiles"
	"github.com/switchyard-ci/switchyard/internal/controlplane/web"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// Handler returns the handler of everything that the port serves. Its streams, and its
// readiness, end with closing. It is called once.
func (p *Parts) Handler(closing context.Context) http.Handler {
	config := p.config
	context.AfterFunc(closing, p.Dispatcher.EndStreams)
	agents := agentwire.New(p.Dispatcher, agentwire.Options{
		Tokens:            p.Access,
		Gate:              admission.NewGate(),
		Audit:             p.Audit,
		PingInterval:      config.PingInterval,
		HeartbeatInterval: config.HeartbeatInterval,
		JobStatusInterval: config.JobStatusInterval,
		NoStream:          config.NoStream,
		KeepAlive:         config.KeepAlive,
		StreamMaxAge:      config.StreamMaxAge,
		StreamEnded:       p.metrics.StreamEnded,
		Logger:            p.logger.Named("agentwire"),
	})
	mux := http.NewServeMux()
	mux.Handle(agents.Stream())
	for path, handler := range api.Handlers(p.Dispatcher, api.Options{
		Store: p.Store, Tokens: p.Access, Gate: admission.NewGate(), Audit: p.Audit,
		Metrics: p.metrics.Handler(p.logger.Named("metrics")), Profiles: p.profiles(closing),
		Logger: p.logger.Named("api"), Tracing: config.Tracing,
	}) {
		mux.Handle(path, handler)
	}
	health := &health{closing: closing.Done(), checkStore: p.Store.Reachable, logger: p.logger.Named("health")}
	health.routes(mux)
	page := web.Add(mux, p.webOptions(closing, health))
	p.metrics.Read(metrics.Source{Dispatcher: p.Dispatcher, Store: p.Store, Ready: health.storeReady})
	rest := traced(agents.REST(), config.Tracing)
	routed := streams(closing, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// For a path such as /v3//ping the mux would send a redirect and HTML to an
		// agent, which expects JSON. The raw path is empty if it is the same.
		if strings.HasPrefix(cmp.Or(r.URL.RawPath, r.URL.Path), agentwire.Prefix) {
			rest.ServeHTTP(w, r)
			return
		}
		page.ServeHTTP(w, r)
	}))
	names := metrics.Routes{
		Procedures: append(api.Calls(), grpchealthv1Check),
		Streams:    slices.Concat(streamProcedures(), web.Streams(), profiles.Paths()), // how long they take is what was asked for
	}
	counted := p.metrics.Requests(routed, names, metrics.AccessLog(config.AccessLog), p.logger.Named("access"))
	return detach.Handler(counted, isWorkerStream)
}

// isWorkerStream reports whether a request opens the stream of a worker.
func isWorkerStream(r *http.Request) bool {
	return r.URL.Path == agentedgev1connect.AgentEdgeServiceStreamPingsProcedure
}

// profiles returns the handlers of profiles, which end with closing.
func (p *Parts) profiles(closing context.Context) map[string]http.Handler {
	handlers := profiles.Handlers(p.logger.Named("profiles"))
	for path, handler := range handlers {
		handlers[path] = untilClosing(closing, handler)
	}
	return handlers
}

// webOptions returns the options of the web page.
func (p *Parts) webOptions(closing context.Context, health *health) web.Options {
	logger := p.logger.Named("web")
	return web.Options{
		Calls:  api.NewLocal(p.Dispatcher, api.Options{Store: p.Store, Audit: p.Audit, Logger: logger}),
		Tokens: p.Access, Sessions: p.Store,
		Position: p.Dispatcher.Position, Stats: p.Dispatcher.Stats, Ready: health.storeReady, Hour: p.recent.Hour,
		WorkerPicture: p.config.WorkerPicture, JobPicture: p.config.JobPicture,
		Stream: func(next http.Handler) http.Handler { return longLived(untilClosing(closing, next)) },
		Logger: logger,
	}
}

// grpchealthv1Check is the procedure of the probes of gRPC.
const grpchealthv1Check = "/" + grpchealth.HealthV1ServiceName + "/Check"

// streamProcedures returns the calls that last until there is a reason to end them.
func streamProcedures() []string {
	return []string{
		agentedgev1connect.AgentEdgeServiceStreamPingsProcedure, switchyardv1connect.JobServiceFollowJobProcedure,
		switchyardv1connect.BackupServiceBackupProcedure,
	}
}

// streams returns a handler in which the requests of streams have no time limit
// and are canceled when closing ends. Those of workers, of which there are thousands, end
// with the dispatcher's streams, without a context for each.
func streams(closing context.Context, next http.Handler) http.Handler {
	workers, others, procedures := longLived(next), longLived(untilClosing(closing, next)), streamProcedures()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case isWorkerStream(r):
			workers.ServeHTTP(w, r)
		case slices.Contains(procedures, r.URL.Path):
			others.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// untilClosing returns a handler whose requests are canceled when closing ends.
func untilClosing(closing context.Context, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(closing, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
