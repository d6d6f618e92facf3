package agentwire

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// tokenKind is the kind of token that a call requires.
type tokenKind int

const (
	registrationToken tokenKind = iota // the control plane's registration token
	sessionToken                       // of a worker, returned when it registered
	jobToken                           // of a job that is in hand, returned when it was accepted
	reportToken                        // of a job, also once it has ended: for its result, and what is missing in its log
	sessionOrJobToken                  // of a worker, or of the job that it runs
	anyToken                           // any of the three
)

// required returns the error message for a caller without the required token.
func (k tokenKind) required() string {
	switch k {
	case registrationToken:
		return "this call requires the registration token of this control plane, as Authorization: Token TOKEN"
	case sessionToken:
		return "this call requires the session token of a registered worker, as Authorization: Token TOKEN"
	case jobToken, reportToken:
		return "this call requires the token of the job; it ends with the job, or when another worker has the job"
	case anyToken:
		return "every call requires a token of this control plane, as Authorization: Token TOKEN"
	case sessionOrJobToken:
	}
	return "this call requires the session token of a worker, or the token of its job, as Authorization: Token TOKEN"
}

// caller identifies the sender of a request: registrar alone for a registration
// token, else one of workerID and job, and the token that the worker registered with.
type caller struct {
	registrar  access.Principal
	workerID   string            // from a session token
	workerName string            // its name
	job        dispatch.JobGrant // from a job token
}

// authenticate returns the caller of a request that requires a token of the given
// kind. It returns dispatch.ErrUnauthenticated if the token is missing or wrong.
func (h *Handler) authenticate(r *http.Request, kind tokenKind) (caller, error) {
	presented := tokenOf(r.Header)
	switch kind {
	case registrationToken:
		return h.registrarOf(r, presented)
	case sessionToken:
		return h.workerOf(r.Context(), presented)
	case jobToken:
		return h.jobInHandOf(r.Context(), presented)
	case reportToken:
		return h.jobOf(r.Context(), presented)
	case anyToken:
		if got, err := h.registrarOf(r, presented); !errors.Is(err, dispatch.ErrUnauthenticated) {
			return got, err
		}
	case sessionOrJobToken:
	}
	got, err := h.workerOf(r.Context(), presented)
	if _, revoked := reasonOf(err); errors.Is(err, dispatch.ErrUnauthenticated) && !revoked {
		return h.jobInHandOf(r.Context(), presented)
	}
	return got, err
}

// tokenOf returns the token of the Authorization header. It returns an empty
// string, which never authenticates, if there is none.
func tokenOf(header http.Header) string {
	return token.Present(header.Get("Authorization"), wire.TokenScheme)
}

// refusedError is a dispatch.ErrUnauthenticated with a reason for the caller, who
// presented a token that is known.
type refusedError struct{ reason string }

// Error returns the reason.
func (e *refusedError) Error() string { return e.reason }

// Is reports whether target is dispatch.ErrUnauthenticated.
func (*refusedError) Is(target error) bool { return target == dispatch.ErrUnauthenticated }

// reasonOf returns why a token that is known was refused, if err says that, and
// reports whether the caller is, or has the job of, a worker that was revoked.
func reasonOf(err error) (reason string, revoked bool) {
	if err, ok := errors.AsType[*record.RevokedError](err); ok {
		return err.Error(), true
	}
	if known, ok := errors.AsType[*refusedError](err); ok {
		return known.reason, false
	}
	return "", false
}

// refused logs a call that was refused with err.
func (h *Handler) refused(r *http.Request, route string, err error) {
	refused := refusal.Refusal{Method: r.Method, Route: route, Address: access.HostOf(r.RemoteAddr), Presented: tokenOf(r.Header)}
	refused.Reason, _ = reasonOf(err)
	h.refusals.Refused(refused)
}

// registrarOf returns the caller with a token that may register workers.
func (h *Handler) registrarOf(r *http.Request, presented string) (caller, error) {
	principal, err := h.options.Tokens.Authenticate(r.Context(), presented)
	switch {
	case errors.Is(err, access.ErrUnknown):
		return caller{}, dispatch.ErrUnauthenticated
	case errors.Is(err, access.ErrRefused):
		return caller{}, &refusedError{err.Error()}
	case err != nil:
		return caller{}, err //nolint:wrapcheck // writeFailure names the call
	case principal.Scope != access.Register:
		return caller{}, &refusedError{
			fmt.Sprintf("token %q has the scope %s, which does not register workers", principal.Name, principal.Scope),
		}
	}
	return caller{registrar: principal}, nil
}

func (h *Handler) workerOf(ctx context.Context, presented string) (caller, error) {
	session, err := h.dispatcher.AuthenticateSession(ctx, presented)
	if err != nil {
		return caller{}, err //nolint:wrapcheck // writeFailure and streamError name the call
	}
	registrar, err := h.registrationOf(ctx, session.RegisteredWith)
	return caller{registrar: registrar, workerID: session.WorkerID, workerName: session.WorkerName}, err
}

func (h *Handler) jobOf(ctx context.Context, presented string) (caller, error) {
	grant, err := h.dispatcher.AuthorizeJob(ctx, presented)
	if err != nil {
		return caller{}, err //nolint:wrapcheck // the same
	}
	registrar, err := h.registrationOf(ctx, grant.RegisteredWith())
	return caller{registrar: registrar, job: grant}, err
}

// registrationOf returns what the token allows that a worker registered with.
// *record.RevokedError if it was revoked: the worker is turned away, and will be
// revoked in a moment.
func (h *Handler) registrationOf(ctx context.Context, tokenID string) (access.Principal, error) {
	principal, err := h.options.Tokens.Registration(ctx, tokenID)
	if errors.Is(err, access.ErrRefused) {
		return access.Principal{}, &record.RevokedError{Reason: err.Error()}
	}
	return principal, err //nolint:wrapcheck // the same
}

func (h *Handler) jobInHandOf(ctx context.Context, presented string) (caller, error) {
	got, err := h.jobOf(ctx, presented)
	if err != nil {
		return caller{}, err
	}
	return got, got.job.InHand() //nolint:wrapcheck // the same
}
