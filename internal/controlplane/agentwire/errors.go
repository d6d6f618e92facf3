package agentwire

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"strconv"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const headerRetryAfter = "Retry-After"

// The Retry-After of a response when the store is unavailable is a random number
// of seconds between these, so that agents do not come back all at once.
const (
	minStoreRetryAfter = 2
	maxStoreRetryAfter = 6
)

func storeRetryAfter() string {
	jitter := rand.IntN(maxStoreRetryAfter - minStoreRetryAfter + 1) //nolint:gosec // spreads load, protects nothing
	return strconv.Itoa(minStoreRetryAfter + jitter)
}

// httpError is a response other than success. The message names the field and
// what is wrong with it; it contains no token and no path of the server.
type httpError struct {
	status     int
	message    string
	retryAfter string // seconds until the next attempt; empty sends no Retry-After
}

// Error returns the message.
func (e *httpError) Error() string { return e.message }

func badRequest(message string) error {
	return &httpError{status: http.StatusBadRequest, message: message}
}

func forbidden(message string) error {
	return &httpError{status: http.StatusForbidden, message: message}
}

func notFound(message string) error {
	return &httpError{status: http.StatusNotFound, message: message}
}

func tooLarge(message string) error {
	return &httpError{status: http.StatusRequestEntityTooLarge, message: message}
}

func unprocessable(message string) error {
	return &httpError{status: http.StatusUnprocessableEntity, message: message}
}

// writeFailure writes the response for an error of a route. Errors of the store
// are logged and not sent, since they name files, subjects and addresses.
func (h *Handler) writeFailure(w http.ResponseWriter, r *http.Request, route route, err error) {
	failure, ok := errors.AsType[*httpError](err)
	switch {
	case ok:
		if failure.retryAfter != "" {
			w.Header().Set(headerRetryAfter, failure.retryAfter)
		}
		writeError(w, failure.status, failure.message)
	case errors.Is(err, dispatch.ErrUnauthenticated):
		h.refused(r, route.name(), err)
		admission.LeaveBody(w, r)
		w.Header().Set("WWW-Authenticate", wire.TokenScheme)
		reason, revoked := reasonOf(err)
		if revoked {
			w.Header().Set(wire.HeaderRevoked, "1")
		}
		writeError(w, http.StatusUnauthorized, cmp.Or(reason, route.token.required()))
	case errors.Is(err, dispatch.ErrNotFound):
		writeError(w, http.StatusNotFound, "no such job or worker, or the token does not belong to it")
	case errors.Is(err, dispatch.ErrWrongState):
		writeError(w, http.StatusUnprocessableEntity, err.Error())
	case errors.Is(err, dispatch.ErrInvalid):
		writeError(w, http.StatusBadRequest, err.Error())
	case errors.Is(err, store.ErrTooLarge):
		writeError(w, http.StatusRequestEntityTooLarge, "the request is too large to be stored")
	case errors.Is(err, admission.ErrBusy):
		admission.LeaveBody(w, r)
		w.Header().Set(headerRetryAfter, admission.RetryAfter())
		writeError(w, http.StatusServiceUnavailable, admission.ErrBusy.Error())
	case errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrConflict), errors.Is(err, dispatch.ErrClosed),
		errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		h.options.Logger.Warn("request not served, caller told to retry",
			zap.String("method", r.Method), zap.String("route", route.name()), zap.Error(err))
		w.Header().Set(headerRetryAfter, storeRetryAfter())
		message := "the control plane is temporarily unavailable; try again"
		if errors.Is(err, store.ErrFull) {
			message = store.ErrFull.Error() + "; try again"
		}
		writeError(w, http.StatusServiceUnavailable, message)
	default:
		h.options.Logger.Error("request failed",
			zap.String("method", r.Method), zap.String("route", route.name()), zap.Error(err))
		writeError(w, http.StatusInternalServerError, "internal error; see the control plane's log")
	}
}

func writeError(w http.ResponseWriter, status int, message string) {
	writeJSON(w, status, wire.ErrorResponse{Message: message})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil { // cannot happen: the types of our responses all marshal
		status, encoded = http.StatusInternalServerError, []byte(`{"message":"internal error"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store") // responses contain tokens
	w.WriteHeader(status)
	_, _ = w.Write(encoded) // the caller may have gone
}
