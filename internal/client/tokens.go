package client

import (
	"context"

	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// CreateToken creates a named token. The response has its text, which the control
// plane does not keep.
func (c *Client) CreateToken(ctx context.Context, req *switchyardv1.CreateTokenRequest) (*switchyardv1.CreateTokenResponse, error) {
	return call(ctx, c, "creating token "+req.GetName(), c.tokens.CreateToken, req)
}

// Tokens returns the named tokens, the oldest first; with all those that were revoked
// lately, too.
func (c *Client) Tokens(ctx context.Context, all bool) ([]*switchyardv1.Token, error) {
	res, err := call(ctx, c, "listing tokens", c.tokens.ListTokens, &switchyardv1.ListTokensRequest{IncludeRevoked: all})
	return res.GetTokens(), err
}

// RevokeToken ends a token, which is given by its ID, or by its name if only one has
// it. The response has the number of workers that were turned away with it.
func (c *Client) RevokeToken(ctx context.Context, id string) (*switchyardv1.RevokeTokenResponse, error) {
	return call(ctx, c, "revoking token "+id, c.tokens.RevokeToken, &switchyardv1.RevokeTokenRequest{Id: id})
}

// RevokeWorker turns a worker away for good; the reason is for people. The worker is
// given as for PauseWorker.
func (c *Client) RevokeWorker(ctx context.Context, id, reason string) (ChangedWorker, error) {
	return call(ctx, c, "revoking worker "+id, c.workers.RevokeWorker,
		&switchyardv1.RevokeWorkerRequest{Id: id, Reason: reason})
}
