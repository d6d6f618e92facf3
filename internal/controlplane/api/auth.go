package api

import (
	"context"
	"net/http"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/refusal"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// scheme is the scheme of the Authorization header for the admin token.
const scheme = "Bearer"

// requireAdmin is an interceptor that refuses calls without the admin token.
type requireAdmin struct {
	token    *token.Current
	refusals *refusal.Log
}

// WrapUnary implements connect.Interceptor.
func (a requireAdmin) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc {
	return func(ctx context.Context, req connect.AnyRequest) (connect.AnyResponse, error) {
		if err := a.check(req.Spec(), req.Header()); err != nil {
			return nil, err
		}
		return next(ctx, req)
	}
}

// WrapStreamingHandler implements connect.Interceptor.
func (a requireAdmin) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		if err := a.check(conn.Spec(), conn.RequestHeader()); err != nil {
			return err
		}
		return next(ctx, conn)
	}
}

// WrapStreamingClient implements connect.Interceptor. A server does not use it.
func (requireAdmin) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}

func (a requireAdmin) check(call connect.Spec, header http.Header) error {
	presented := token.Present(header.Get("Authorization"), scheme)
	if !a.token.Matches(presented) {
		a.refusals.Refused(call.Procedure, presented)
	}
	if presented == "" {
		return codedError(connect.CodeUnauthenticated, "the admin token is missing: send it as Authorization: Bearer TOKEN")
	}
	if !a.token.Matches(presented) {
		return codedError(connect.CodeUnauthenticated, "this is not the admin token of this control plane")
	}
	return nil
}
