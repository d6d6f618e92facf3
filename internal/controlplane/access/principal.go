package access

import (
	"context"
	"net"
	"slices"

	"go.uber.org/zap"
)

// Scope is what a token may do.
type Scope string

// The scopes. A call is allowed by one or more of them: the table in package api
// says which. Register is for agents, and for no call of switchyard.v1.
const (
	// Register lets agents register workers in the token's queues.
	Register Scope = "register"
	// Submit lets the caller submit jobs to the token's queues, and read, follow and
	// cancel the jobs of these queues.
	Submit Scope = "submit"
	// Read lets the caller read jobs, logs and workers of all queues, without the
	// values of secret variables.
	Read Scope = "read"
	// Operate allows every call of switchyard.v1.
	Operate Scope = "operate"
)

// Scopes returns every scope, the most limited first.
func Scopes() []Scope { return []Scope{Register, Submit, Read, Operate} }

// HasQueues reports whether tokens of the scope can be limited to queues.
func (s Scope) HasQueues() bool { return s == Register || s == Submit }

// Principal is an authenticated caller. It is a value; Queues is never changed in
// place.
type Principal struct {
	// TokenID is the ID of a named token, or one of the two constants of the data
	// directory's tokens. Name is for people.
	TokenID, Name string
	Scope         Scope
	// Queues limit Register and Submit; empty means all queues.
	Queues []string
	// Address is the host from which the request came: a proxy's, where there is one.
	Address string
}

// MayUse reports whether the principal may use a queue.
func (p Principal) MayUse(queue string) bool {
	return !p.Scope.HasQueues() || len(p.Queues) == 0 || slices.Contains(p.Queues, queue)
}

// Fields returns log fields that name the principal.
func (p Principal) Fields() []zap.Field {
	return []zap.Field{zap.String("token_name", p.Name), zap.String("token_id", p.TokenID), zap.String("address", p.Address)}
}

// HostOf returns the host of the address from which a request came.
func HostOf(remote string) string {
	if host, _, err := net.SplitHostPort(remote); err == nil {
		return host
	}
	return remote
}

type principalKey struct{}

// WithPrincipal returns a context that carries the caller of a request.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// Caller returns the caller of a request. Without one it returns the zero
// Principal, which has no scope and may do nothing.
func Caller(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
