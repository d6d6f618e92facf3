package agentwire

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Prefix begins the path of every REST call.
const Prefix = wire.Prefix + "/"

// ofJob begins the path of every call about one job, below Prefix.
const ofJob = wire.PathJobs + "/{id}/"

// maxNamedPath bounds how many bytes of an unknown path an error message repeats.
const maxNamedPath = 200

// handlerFunc serves an authenticated request. The body that it returns is sent
// as JSON with status 200; nil is sent as status 204.
type handlerFunc func(r *http.Request, caller caller) (body any, err error)

// route is one REST call.
type route struct {
	method, path string // the path is below Prefix
	token        tokenKind
	handle       handlerFunc
}

// name returns what the route is called in metrics and in logs.
func (r route) name() string {
	if r.path == "" {
		return refusal.OtherRoute
	}
	return Prefix + r.path
}

// routes returns every REST call that is served. Any other call of the protocol
// is refused with status 404 and its name.
func (h *Handler) routes() []route {
	return append(dataRoutes(), []route{
		{http.MethodPost, wire.PathRegister, registrationToken, h.register},
		{http.MethodGet, wire.PathToken, registrationToken, h.token},

		{http.MethodPost, wire.PathConnect, sessionToken, h.connect},
		{http.MethodPost, wire.PathDisconnect, sessionToken, h.disconnect},
		{http.MethodPost, wire.PathHeartbeat, sessionToken, h.heartbeat},
		{http.MethodGet, wire.PathPing, sessionToken, h.ping},
		{http.MethodPut, ofJob + wire.PathAccept, sessionToken, h.accept},
		{http.MethodPut, ofJob + wire.PathAcquire, sessionToken, h.acquire},

		// Commands inside a job make these with the job's token.
		{http.MethodPost, wire.PathStop, sessionOrJobToken, h.audited(onWorker(h.stop))},
		{http.MethodPost, wire.PathPause, sessionOrJobToken, h.audited(onWorker(h.pause))},
		{http.MethodPost, wire.PathResume, sessionOrJobToken, h.audited(onWorker(h.resume))},

		{http.MethodPut, ofJob + wire.PathStart, jobToken, ownJob(h.start)},
		{http.MethodPost, ofJob + wire.PathChunks, reportToken, ownJob(h.chunk)},
		{http.MethodGet, wire.PathJobs + "/{id}", jobToken, ownJob(h.state)},
		{http.MethodPut, wire.PathJobs + "/{id}", jobToken, ownJob(h.update)},
		{http.MethodPut, ofJob + wire.PathFinish, reportToken, ownJob(h.finish)},
		{http.MethodPut, ofJob + wire.PathPromiseFailure, jobToken, ownJob(h.promiseFailure)},
	}...)
}

// Route is the method and path of a REST call that is served.
type Route struct{ Method, Path string }

// Routes returns every REST call that is served. A path contains {id} in place of
// the ID of a job or build.
func Routes() []Route {
	routes := (&Handler{}).routes()
	served := make([]Route, len(routes))
	for i, route := range routes {
		served[i] = Route{route.method, route.name()}
	}
	return served
}

// REST returns the handler of every path below Prefix.
func (h *Handler) REST() http.Handler {
	mux := http.NewServeMux()
	for _, route := range h.routes() {
		mux.Handle(route.method+" "+route.name(), h.serve(route))
	}
	unrouted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.unrouted(mux, w, r) })
	mux.Handle(Prefix, unrouted)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isClean(r.URL.EscapedPath()) {
			unrouted(w, r) // the mux would respond with a redirect and HTML
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// isClean reports whether a path has no empty segment and no "." or ".." segment.
func isClean(p string) bool {
	return path.Clean(p) == strings.TrimSuffix(p, "/")
}

// unrouted refuses a request that no route serves: with 405 if the path has other
// methods, else with 404. Commands of existing agents try again for minutes after a 5xx,
// such as 501, and fail at once after a 4xx. Callers without any token get 401 and learn
// neither.
func (h *Handler) unrouted(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	if _, err := h.authenticate(r, anyToken); err != nil {
		h.writeFailure(w, r, route{token: anyToken}, err)
		return
	}
	allowed := methodsOf(mux, r.URL, r.Host)
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeError(w, http.StatusMethodNotAllowed,
			fmt.Sprintf("method %s is not allowed for this path, which takes %s", r.Method, strings.Join(allowed, " and ")))
		return
	}
	writeError(w, http.StatusNotFound,
		fmt.Sprintf("%s %s is not served by this control plane", r.Method, truncate(r.URL.Path)))
}

// methodsOf returns the methods of the routes that a path has.
func methodsOf(mux *http.ServeMux, at *url.URL, host string) []string {
	if !isClean(at.EscapedPath()) {
		return nil // the mux would find the route that it redirects to
	}
	var methods []string
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
		probe := &http.Request{Method: method, URL: at, Host: host}
		if _, pattern := mux.Handler(probe); pattern != Prefix && pattern != "" {
			methods = append(methods, method)
		}
	}
	return methods
}

func truncate(text string) string {
	if len(text) > maxNamedPath {
		return strings.ToValidUTF8(text[:maxNamedPath], "") + "..."
	}
	return text
}
