package api

import (
	"context"

	"github.com/switchyard-ci/switchyard/internal/controlplane/access"
	"github.com/switchyard-ci/switchyard/internal/controlplane/dispatch"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// tokenService implements switchyardv1connect.TokenServiceHandler.
type tokenService struct {
	service

	tokens *access.Tokens
}

// CreateToken stores a new token and returns its text, this once.
func (s *tokenService) CreateToken(ctx context.Context, req *switchyardv1.CreateTokenRequest) (
	*switchyardv1.CreateTokenResponse, error,
) {
	grant, err := grantOf(req)
	if err != nil {
		return nil, err
	}
	named, text, err := s.tokens.Create(ctx, access.Caller(ctx), grant)
	if err != nil {
		return nil, s.failed(operation{verb: "creating", noun: "a token"}, err)
	}
	return &switchyardv1.CreateTokenResponse{Token: tokenMessage(named), Secret: text}, nil
}

// grantOf returns the token that a request describes. Package access checks the
// fields that are not checked here.
func grantOf(req *switchyardv1.CreateTokenRequest) (access.Grant, error) {
	grant := access.Grant{Name: req.GetName(), Scope: tokenScope(req.GetScope()), Queues: req.GetQueues()}
	for _, queue := range grant.Queues {
		if err := dispatch.ValidateQueue(queue); err != nil {
			return grant, invalid("queues", "has one that is not a queue's name: %q", queue)
		}
	}
	if req.GetExpiresIn() != nil {
		if grant.Life = req.GetExpiresIn().AsDuration(); req.GetExpiresIn().CheckValid() != nil {
			return grant, invalid("expires_in", "must be from 0 (no end) to %v", access.MaxLife)
		}
	}
	return grant, nil
}

// ListTokens returns the tokens, the oldest first.
func (s *tokenService) ListTokens(_ context.Context, req *switchyardv1.ListTokensRequest) (
	*switchyardv1.ListTokensResponse, error,
) {
	response, workers := &switchyardv1.ListTokensResponse{}, s.dispatcher.Registered()
	for _, named := range s.tokens.List(req.GetIncludeRevoked()) {
		message := tokenMessage(named)
		message.Replaced = s.tokens.Replaced(named)
		message.Workers = count(workers[named.ID])
		response.Tokens = append(response.Tokens, message)
	}
	return response, nil
}

// RevokeToken ends a token, and revokes the workers that registered with it. If that
// fails for some, their sessions are refused all the same.
func (s *tokenService) RevokeToken(ctx context.Context, req *switchyardv1.RevokeTokenRequest) (
	*switchyardv1.RevokeTokenResponse, error,
) {
	if err := checkID(req.GetId()); err != nil {
		return nil, err
	}
	revoked, changed, err := s.tokens.Revoke(ctx, access.Caller(ctx), req.GetId())
	if err != nil {
		return nil, s.failed(operation{"revoking", "token", req.GetId()}, err)
	}
	workers := 0
	for _, id := range registeredWith(req.GetId(), revoked) {
		n, err := s.dispatcher.RevokeRegistered(ctx, id, "the token "+revoked[0].Name+" was revoked")
		if err != nil {
			return nil, s.failed(operation{"revoking the workers of", "token", req.GetId()}, err)
		}
		workers += n
	}
	return &switchyardv1.RevokeTokenResponse{
		Token:          tokenMessage(revoked[len(revoked)-1]),
		RevokedWorkers: count(workers), Unchanged: !changed && workers == 0,
	}, nil
}

// registeredWith returns the IDs of tokens with which the workers registered that are
// turned away. Workers of earlier versions have no ID, or that of the file, and count as
// registered with an earlier content of it.
func registeredWith(ref string, revoked []record.AccessToken) (ids []string) {
	for _, named := range revoked {
		if access.Scope(named.Scope) == access.Register {
			ids = append(ids, named.ID)
		}
	}
	if ref == access.RegistrationID {
		ids = append(ids, access.RegistrationID, "")
	}
	return ids
}

func tokenMessage(named record.AccessToken) *switchyardv1.Token {
	return &switchyardv1.Token{
		Id: named.ID, Name: named.Name, Scope: scopeMessage(access.Scope(named.Scope)), Queues: named.Queues,
		CreatedAt: timestamp(named.CreatedAt), CreatedBy: named.CreatedBy, ExpiresAt: timestamp(named.ExpiresAt),
		LastUsedAt: timestamp(named.LastUsedAt),
		RevokedAt:  timestamp(named.RevokedAt), RevokedBy: named.RevokedBy,
	}
}

// tokenScopes are the scopes on the wire and in the record.
//
//nolint:gochecknoglobals // a table, never written
var tokenScopes = []struct {
	message switchyardv1.TokenScope
	scope   access.Scope
}{
	{switchyardv1.TokenScope_TOKEN_SCOPE_REGISTER, access.Register},
	{switchyardv1.TokenScope_TOKEN_SCOPE_SUBMIT, access.Submit},
	{switchyardv1.TokenScope_TOKEN_SCOPE_READ, access.Read},
	{switchyardv1.TokenScope_TOKEN_SCOPE_OPERATE, access.Operate},
}

// tokenScope returns an empty scope for an unknown one.
func tokenScope(message switchyardv1.TokenScope) access.Scope {
	for _, row := range tokenScopes {
		if row.message == message {
			return row.scope
		}
	}
	return ""
}

func scopeMessage(scope access.Scope) switchyardv1.TokenScope {
	for _, row := range tokenScopes {
		if row.scope == scope {
			return row.message
		}
	}
	return switchyardv1.TokenScope_TOKEN_SCOPE_UNSPECIFIED
}
