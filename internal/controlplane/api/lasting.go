package api

import (
	"context"
	"errors"
	"sync"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// lasting is an interceptor that ends a stream as soon as the token of its caller is
// refused: a stream can last for days after its token was checked.
type lasting struct{ tokens *access.Tokens }

// WrapUnary implements connect.Interceptor.
func (lasting) WrapUnary(next connect.UnaryFunc) connect.UnaryFunc { return next }

// WrapStreamingHandler implements connect.Interceptor.
func (l lasting) WrapStreamingHandler(next connect.StreamingHandlerFunc) connect.StreamingHandlerFunc {
	return func(ctx context.Context, conn connect.StreamingHandlerConn) error {
		ctx, end := context.WithCancelCause(ctx)
		presented := token.Present(conn.RequestHeader().Get("Authorization"), scheme)
		var waiting sync.WaitGroup
		waiting.Go(func() { end(l.tokens.AwaitEnd(ctx, presented)) })
		err := next(ctx, conn)
		end(nil)
		waiting.Wait()
		if refused, ok := errors.AsType[*access.RefusedError](context.Cause(ctx)); ok {
			return unauthenticated(refused.Error())
		}
		return err
	}
}

// WrapStreamingClient implements connect.Interceptor. A server does not use it.
func (lasting) WrapStreamingClient(next connect.StreamingClientFunc) connect.StreamingClientFunc {
	return next
}
