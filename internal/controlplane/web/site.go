package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/api"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/recent"
	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/web/session"
)

// Draw writes the picture of a machine in a state, as SVG. It returns an error for an
// unknown state.
type Draw func(w io.Writer, state string) error

// Options are what the page shows and how. Every field but the two pictures is required.
type Options struct {
	// Calls are the calls that the page makes for its readers.
	Calls *api.Local
	// Tokens are those with which people sign in, and Sessions has what replicas share of
	// their sessions.
	Tokens   *access.Tokens
	Sessions session.Store
	// Position returns a number that grows when a job, a worker or a queue has changed, and
	// Stats what the dispatcher counts. Both read memory only.
	Position func() uint64
	Stats    func() dispatch.Stats
	// Ready returns why the store cannot be used, or takes no new job, or nil.
	Ready func(context.Context) error
	// Hour returns the numbers of the last hour.
	Hour func() recent.Hour
	// WorkerPicture and JobPicture draw the two machines; nil shows none.
	WorkerPicture, JobPicture Draw
	// Stream returns a handler for responses that last until there is a reason to end them,
	// at the latest when the server shuts down.
	Stream func(http.Handler) http.Handler
	// Logger receives what fails on the server's side, and refused sign-ins.
	Logger *zap.Logger
}

// site is the page. Its methods may be called concurrently.
type site struct {
	Options

	sessions *session.Sessions
	limit    session.Limit
	signOuts session.Limit // by token: each is kept for as long as its session could last
	refusals *refusal.Log
	origin   *http.CrossOriginProtection
	hub      *hub
	streams  streams
	shared   *shared
	indexes  indexes
	assets   assets
	pages    pages
	now      func() time.Time
}

// Add adds the handlers of the page to mux, and returns the handler that serves mux and, to
// browsers, a page for an address that mux has not. The handlers end with the requests;
// nothing else is left running.
func Add(mux *http.ServeMux, o Options) http.Handler {
	s := &site{
		Options: o, sessions: session.New(o.Sessions), refusals: refusal.New(o.Logger), origin: http.NewCrossOriginProtection(),
		hub: newHub(o.Position), shared: newShared(), assets: newAssets(), now: time.Now,
	}
	s.pages = newPages(s.assets)
	mux.HandleFunc("GET /static/{name}", s.assets.serve)
	mux.HandleFunc("GET /signin", s.signInForm)
	mux.HandleFunc("POST /signin", s.signIn)
	mux.HandleFunc("POST /signout", s.signOut)
	for _, r := range routes() {
		handler := s.guard(r)
		if r.stream {
			handler = o.Stream(handler)
		}
		mux.Handle(r.pattern, handler)
	}
	return s.orNotFound(mux)
}

// Streams returns the routes whose responses last until there is a reason to end them.
func Streams() (list []string) {
	for _, r := range routes() {
		if r.stream {
			list = append(list, r.pattern[len("GET "):])
		}
	}
	return list
}

// Route is a route of the page that needs a session.
type Route struct {
	// Pattern is that of an http.ServeMux.
	Pattern string
	// Stream is set if a response lasts until there is a reason to end it.
	Stream bool
}

// Routes returns the routes that need a session, for tests.
func Routes() (list []Route) {
	for _, r := range routes() {
		list = append(list, Route{r.pattern, r.stream})
	}
	return list
}

// errGone ends a response whose reader has gone.
var errGone = errors.New("the reader has gone")
