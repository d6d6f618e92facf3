package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"

	"connectrpc.com/connect"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/admission"
	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/stack"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/proto/switchyard/v1/switchyardv1connect"
)

// scheme is the scheme of the Authorization header.
const scheme = "Bearer"

// guard refuses requests by their header alone, before a byte of the body is read,
// and bounds how much is decoded at the same time.
type guard struct {
	tokens   *access.Tokens
	gate     *admission.Gate
	refusals *refusal.Log
	errors   *connect.ErrorWriter
	logger   *zap.Logger
}

// wrap returns next behind the guard. It serves Connect, gRPC and gRPC-Web.
func (g *guard) wrap(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == switchyardv1connect.JobServiceSubmitJobProcedure { // not a stream, which lasts
			stack.Grow()
		}
		caller, err := g.authorize(r)
		if err != nil {
			g.refuse(w, r, err)
			return
		}
		ctx := access.WithPrincipal(r.Context(), caller)
		if weight := weight(r); !admission.IsSmall(weight) {
			leave, err := g.gate.Enter(ctx, weight)
			if err != nil {
				g.refuse(w, r, busy(err))
				return
			}
			defer leave()
			ctx = context.WithValue(ctx, leaveKey{}, leave)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// authorize returns the caller, which the rule of the call must allow.
func (g *guard) authorize(r *http.Request) (access.Principal, error) {
	presented := token.Present(r.Header.Get("Authorization"), scheme)
	refused := refusal.Refusal{Method: r.Method, Route: r.URL.Path, Address: access.HostOf(r.RemoteAddr), Presented: presented}
	if presented == "" {
		g.refusals.Refused(refused)
		return access.Principal{}, unauthenticated("the token is missing: send the admin token, or a named one, as Authorization: Bearer TOKEN")
	}
	caller, err := g.tokens.Authenticate(r.Context(), presented)
	switch {
	case errors.Is(err, access.ErrRefused):
		refused.Reason = err.Error()
		g.refusals.Refused(refused)
		return caller, unauthenticated(refused.Reason)
	case err != nil:
		g.logger.Warn("request not served, store unavailable", zap.String("method", r.Method), zap.String("route", r.URL.Path), zap.Error(err))
		return caller, codedError(connect.CodeUnavailable, "checking the token: the store does not answer; try again")
	}
	caller.Address = refused.Address
	if !rules[r.URL.Path].allows(caller.Scope) {
		refused.Reason = fmt.Sprintf("token %q has the scope %s, which does not allow %s", caller.Name, caller.Scope, path.Base(r.URL.Path))
		g.refusals.Refused(refused)
		return caller, codedError(connect.CodePermissionDenied, "%s", refused.Reason)
	}
	return caller, nil
}

// refuse writes an error as the protocol of the request has it.
func (g *guard) refuse(w http.ResponseWriter, r *http.Request, err error) {
	admission.LeaveBody(w, r)
	if writeErr := g.errors.Write(w, r, err); writeErr != nil {
		g.logger.Debug("failed to write a response", zap.Error(writeErr)) // the caller may have gone
	}
}

func unauthenticated(message string) error {
	err := connect.NewError(connect.CodeUnauthenticated, errors.New(message))
	err.Meta().Set("WWW-Authenticate", scheme)
	return err //nolint:wrapcheck // it is created here
}

func busy(cause error) error {
	if !errors.Is(cause, admission.ErrBusy) {
		return codedError(connect.CodeCanceled, "the caller has gone")
	}
	err := connect.NewError(connect.CodeUnavailable, admission.ErrBusy)
	err.Meta().Set("Retry-After", admission.RetryAfter())
	return err //nolint:wrapcheck // it is created here
}

// weight returns the weight of a request by its header.
func weight(r *http.Request) int64 {
	compressed := false
	for _, name := range []string{"Content-Encoding", "Connect-Content-Encoding", "Grpc-Encoding"} {
		encoding := r.Header.Get(name)
		compressed = compressed || encoding != "" && encoding != "identity"
	}
	return admission.Weight(r.ContentLength, int64(rules[r.URL.Path].maxBytes), compressed)
}

type leaveKey struct{}

// decoded is an interceptor that lets the next request through the gate: the
// request of the call is decoded.
type decoded struct{}

func leaveGate(ctx context.Context) {
	if leave, ok := ctx.Value(leaveKey{}).(func()); ok {
		leave()
	}
}

// WrapUnary implements connect.Interceptor.
func (decoded) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		leaveGate(ctx)
		return next(ctx, req)
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (decoded) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		return next(ctx, decodedConn{conn, ctx})
	}
}

// WrapStreamingClient implements connect.Interceptor. A server does not use it.
func (decoded) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

// decodedConn leaves the gate with its first message, which is the request.
type decodedConn struct {
	connect.StreamingHandlerConn

	ctx context.Context //nolint:containedctx // of the call that the connection belongs to
}

// Receive implements connect.StreamingHandlerConn.
func (c decodedConn) Receive(message any) error {
	defer leaveGate(c.ctx)
	return c.StreamingHandlerConn.Receive(message) //nolint:wrapcheck // connect-go's own error
}
