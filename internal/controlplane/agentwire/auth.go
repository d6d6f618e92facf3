package agentwire

import (
	"context"
	"errors"
	"net/http"

	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// scheme is how agents present each of their tokens.
const scheme = "Token"

// authentication says whose token a call takes.
type authentication int

const (
	registration authentication = iota // the one registration token
	session                            // a worker's, given to it when it registered
	job                                // a job's, given to its worker when it accepted
	sessionOrJob                       // a worker's, or that of the job in its hands
	anyToken                           // any of the three
)

// refusal says which token a call takes, to a caller who has not shown it.
func (a authentication) refusal() string {
	switch a {
	case registration:
		return "this call takes the registration token of this control plane, as Authorization: Token TOKEN"
	case session:
		return "this call takes the session token of a registered worker, as Authorization: Token TOKEN"
	case job:
		return "this call takes the token of the job, which no longer works once the job is not its worker's"
	case anyToken:
		return "every call takes a token of this control plane, as Authorization: Token TOKEN"
	case sessionOrJob:
	}
	return "this call takes the session token of a worker, or the token of its job, as Authorization: Token TOKEN"
}

// A caller is who sent a request, by its token.
type caller struct {
	workerID string            // of a session token
	job      dispatch.JobGrant // of a job token
}

// authenticate finds the caller, or fails with dispatch.ErrUnauthenticated.
func (h *Handler) authenticate(r *http.Request, auth authentication) (caller, error) {
	presented := token.Present(r.Header.Get("Authorization"), scheme)
	if presented == "" {
		return caller{}, dispatch.ErrUnauthenticated
	}
	switch auth {
	case registration:
		if !h.options.RegistrationToken.Matches(presented) {
			return caller{}, dispatch.ErrUnauthenticated
		}
		return caller{}, nil
	case session:
		return h.sessionOf(r.Context(), presented)
	case job:
		return h.jobOf(r.Context(), presented)
	case anyToken:
		if h.options.RegistrationToken.Matches(presented) {
			return caller{}, nil
		}
		return h.authenticate(r, sessionOrJob)
	case sessionOrJob:
		got, err := h.sessionOf(r.Context(), presented)
		if errors.Is(err, dispatch.ErrUnauthenticated) {
			return h.jobOf(r.Context(), presented)
		}
		return got, err
	default:
		return caller{}, dispatch.ErrUnauthenticated
	}
}

func (h *Handler) sessionOf(ctx context.Context, presented string) (caller, error) {
	workerID, err := h.dispatcher.AuthenticateSession(ctx, presented)
	return caller{workerID: workerID}, err //nolint:wrapcheck // the route's name is added where it is answered
}

func (h *Handler) jobOf(ctx context.Context, presented string) (caller, error) {
	grant, err := h.dispatcher.AuthorizeJob(ctx, presented)
	return caller{job: grant}, err //nolint:wrapcheck // the same
}
