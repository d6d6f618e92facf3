package web

import (
	"net/http"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
)

// orNotFound returns a handler that serves mux and, to a browser that asks for a page which
// mux has not, a page that says so. Programs receive what mux responds.
func (s *site) orNotFound(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && wantsPage(r) {
			if _, pattern := mux.Handler(r); pattern == "" {
				s.notFound(w, r)
				return
			}
		}
		mux.ServeHTTP(w, r)
	})
}

// wantsPage reports whether a request is that of a browser for a page.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// notFound shows that there is no such page. It needs no session, and has the navigation of
// the reader's if there is one.
func (s *site) notFound(w http.ResponseWriter, r *http.Request) {
	secure(w.Header())
	if caller, err := s.caller(r); err == nil {
		r = r.WithContext(access.WithPrincipal(r.Context(), caller))
	}
	s.fail(w, r, &problem{http.StatusNotFound, "There is no page at this address."})
}
