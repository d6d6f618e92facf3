package controlplane

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"connectrpc.com/grpchealth"

	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/agentwire"
	"github.com/switchyard-ci/switchyard/internal/controlplane/api"
	"github.com/switchyard-ci/switchyard/internal/controlplane/metrics"
	"github.com/switchyard-ci/switchyard/proto/agentedge/v1/agentedgev1connect"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// routes returns the handler of everything that the port serves.
func (s *Server) routes(config Config) http.Handler {
	agents := agentwire.New(s.dispatcher, agentwire.Options{
		Tokens:            s.access,
		Gate:              admission.NewGate(),
		Audit:             s.audit,
		PingInterval:      config.PingInterval,
		HeartbeatInterval: config.HeartbeatInterval,
		JobStatusInterval: config.JobStatusInterval,
		NoStream:          config.NoStream,
		KeepAlive:         config.KeepAlive,
		StreamMaxAge:      config.StreamMaxAge,
		Closing:           s.closing.Done(),
		StreamEnded:       s.metrics.StreamEnded,
		Logger:            s.logger.Named("agentwire"),
	})
	mux := http.NewServeMux()
	mux.Handle(agents.Stream())
	for path, handler := range api.Handlers(s.dispatcher, api.Options{
		Store: s.store, Tokens: s.access, Gate: admission.NewGate(), Audit: s.audit, Metrics: s.metrics.Handler(s.logger.Named("metrics")),
		Logger: s.logger.Named("api"), Tracing: config.Tracing,
	}) {
		mux.Handle(path, handler)
	}
	health := &health{closing: s.closing.Done(), checkStore: s.store.Reachable, logger: s.logger.Named("health")}
	health.routes(mux)
	s.metrics.Read(metrics.Source{Dispatcher: s.dispatcher, Store: s.store, Ready: health.storeReady})
	rest := traced(agents.REST(), config.Tracing)
	routed := s.streams(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// For a path such as /v3//ping the mux would send a redirect and HTML to an
		// agent, which expects JSON.
		if strings.HasPrefix(r.URL.EscapedPath(), agentwire.Prefix) {
			rest.ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	names := metrics.Routes{Procedures: append(api.Calls(), grpchealthv1Check), Streams: streamProcedures()}
	return s.metrics.Requests(routed, names, metrics.AccessLog(config.AccessLog), s.logger.Named("access"))
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
// and are canceled when the server begins to shut down. Those of workers, of which there
// are thousands, notice that themselves, without a context for each.
func (s *Server) streams(next http.Handler) http.Handler {
	workers, others, procedures := longLived(next), longLived(s.untilClosing(next)), streamProcedures()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == agentedgev1connect.AgentEdgeServiceStreamPingsProcedure:
			workers.ServeHTTP(w, r)
		case slices.Contains(procedures, r.URL.Path):
			others.ServeHTTP(w, r)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// untilClosing returns a handler whose requests are canceled when the server
// begins to shut down.
func (s *Server) untilClosing(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		defer context.AfterFunc(s.closing, cancel)()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
