package access

import (
	"context"
	"errors"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
)

// SignIn returns whom a token belongs to, and the ID of its record, with which Holder
// finds it again without the token. Of a token in a file the ID follows from its content,
// so a replaced one has another. Errors as of Authenticate.
func (t *Tokens) SignIn(ctx context.Context, presented string) (_ Principal, id string, err error) {
	named, err := t.identify(ctx, presented)
	if err != nil {
		return Principal{}, "", err
	}
	caller, err := t.admit(ctx, named)
	return caller, named.ID, err
}

// Holder returns whom the token of a record belongs to, as Authenticate does for the token
// itself: ErrRefused as soon as the token was revoked, has expired, or was replaced in its
// file. The caller must have verified that the ID comes from SignIn.
// store.ErrUnavailable.
func (t *Tokens) Holder(ctx context.Context, id string) (Principal, error) {
	for _, f := range t.fileTokens() {
		if f.ID == id {
			return t.admit(ctx, f)
		}
	}
	named, err := t.find(ctx, id)
	if errors.Is(err, record.ErrNotFound) || err == nil && t.Replaced(named) {
		return Principal{}, ErrUnknown
	}
	if err != nil {
		return Principal{}, err
	}
	return t.admit(ctx, named)
}
