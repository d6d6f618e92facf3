package agentwire

import (
	"fmt"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// Prefix is the path under which agents find the REST calls; their endpoint is
// the server's address with it. Nothing is served without it: the rest of the
// paths belongs to people.
const Prefix = "/v3/"

// maxNamedPath bounds how much of an unknown path is said back.
const maxNamedPath = 200

// A call answers one request, which has been authenticated. What it returns is
// sent as JSON with status 200; a nil body is an empty answer.
type call func(r *http.Request, caller caller) (any, error)

// A route is one REST call: how it is named, whose token it takes, what it does.
type route struct {
	method, path string
	auth         authentication
	call         call
}

// routes is every REST call that agents make of us. Those that they may make and
// that are not here are answered with 501 and their name.
func (h *Handler) routes() []route {
	return append(dataRoutes(), []route{
		{http.MethodPost, "register", registration, h.register},
		{http.MethodGet, "token", registration, h.token},

		{http.MethodPost, "connect", session, h.connect},
		{http.MethodPost, "disconnect", session, h.disconnect},
		{http.MethodPost, "heartbeat", session, h.heartbeat},
		{http.MethodGet, "ping", session, h.ping},
		{http.MethodPut, "jobs/{id}/accept", session, h.accept},
		{http.MethodPut, "jobs/{id}/acquire", session, h.acquire},

		// Called by the command line inside a job, which holds the job's token.
		{http.MethodPost, "stop", sessionOrJob, h.stop},
		{http.MethodPost, "pause", sessionOrJob, h.pause},
		{http.MethodPost, "resume", sessionOrJob, h.resume},

		{http.MethodPut, "jobs/{id}/start", job, h.start},
		{http.MethodPost, "jobs/{id}/chunks", job, h.chunk},
		{http.MethodGet, "jobs/{id}", job, h.state},
		{http.MethodPut, "jobs/{id}", job, h.update},
		{http.MethodPut, "jobs/{id}/finish", job, h.finish},
		{http.MethodPut, "jobs/{id}/promise_failure", job, h.promiseFailure},
	}...)
}

// restHandler serves the routes, and answers what is none of them.
func (h *Handler) restHandler() http.Handler {
	mux := http.NewServeMux()
	for _, route := range h.routes() {
		mux.Handle(route.method+" "+Prefix+route.path, h.serve(route))
	}
	unrouted := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { h.notRouted(mux, w, r) })
	mux.Handle(Prefix, unrouted)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !clean(r.URL.EscapedPath()) {
			unrouted(w, r) // the mux would answer with a redirect, and a page
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// clean says whether a path is written as it is served: no empty segment, and no
// dots in the place of one.
func clean(p string) bool {
	return path.Clean(p) == strings.TrimSuffix(p, "/")
}

// notRouted answers a request that no route takes: its path has other methods,
// or it is a call of the protocol that this control plane does not serve. It says
// so to those who have a token alone, of any kind.
func (h *Handler) notRouted(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) {
	if _, err := h.authenticate(r, anyToken); err != nil {
		h.writeFailure(w, r, route{path: "none", auth: anyToken}, err)
		return
	}
	allowed := methodsOf(mux, r.URL, r.Host)
	if len(allowed) > 0 {
		w.Header().Set("Allow", strings.Join(allowed, ", "))
		writeError(w, http.StatusMethodNotAllowed,
			fmt.Sprintf("%s is not a method of this call, which takes %s", r.Method, strings.Join(allowed, " and ")))
		return
	}
	writeError(w, http.StatusNotImplemented,
		fmt.Sprintf("%s %s is not served by this control plane", r.Method, shorten(r.URL.Path)))
}

// methodsOf are the methods of the routes that a path has.
func methodsOf(mux *http.ServeMux, at *url.URL, host string) []string {
	var methods []string
	if !clean(at.EscapedPath()) {
		return nil // for which the mux would name the route that it redirects to
	}
	for _, method := range []string{http.MethodGet, http.MethodPost, http.MethodPut} {
		probe := &http.Request{Method: method, URL: at, Host: host}
		if _, pattern := mux.Handler(probe); pattern != Prefix && pattern != "" {
			methods = append(methods, method)
		}
	}
	return methods
}

func shorten(text string) string {
	if len(text) > maxNamedPath {
		return strings.ToValidUTF8(text[:maxNamedPath], "") + "..."
	}
	return text
}
