package access

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// A token of a file is in the store, too, with the name of the file: a record for each
// content. So it is listed, its last use is known, and the workers that registered with
// it can be turned away after the file was replaced. Replicas with the same files share
// the record, since its ID follows from the content.

// fileTokenID returns the ID of the record of a token in the file of that name.
func fileTokenID(file string, hash token.Hash) string {
	return uuid.NewSHA1(uuid.Nil, append([]byte(file), hash[:]...)).String()
}

// tokenFile is a file of tokens of this control plane.
type tokenFile struct {
	name   string
	scope  Scope
	tokens *token.Current
}

func (t *Tokens) tokenFiles() []tokenFile {
	return []tokenFile{{RegistrationID, Register, t.bootstrap.Registration}, {AdminID, Operate, t.bootstrap.Admin}}
}

// token returns the record, not stored yet, of the token with that hash in the file.
func (f tokenFile) token(hash token.Hash) record.AccessToken {
	return record.AccessToken{
		ID: fileTokenID(f.name, hash), Name: f.name, Scope: string(f.scope), Hash: hash, CreatedBy: "its file",
	}
}

// fileTokens returns the records, not stored yet, of the tokens in the files.
func (t *Tokens) fileTokens() (list []record.AccessToken) {
	for _, f := range t.tokenFiles() {
		for _, hash := range f.tokens.Hashes() {
			list = append(list, f.token(hash))
		}
	}
	return list
}

// fileToken returns the record, not stored yet, of a token that is in a file.
func (t *Tokens) fileToken(presented string) (_ record.AccessToken, ok bool) {
	for _, f := range t.tokenFiles() {
		for _, hash := range f.tokens.Hashes() {
			if hash.Matches(presented) {
				return f.token(hash), true
			}
		}
	}
	return record.AccessToken{}, false
}

// InFile reports whether a token is in a file of this control plane.
func (t *Tokens) InFile(named record.AccessToken) bool {
	return slices.ContainsFunc(t.fileTokens(), func(f record.AccessToken) bool { return f.ID == named.ID })
}

// Replaced reports whether a token was in a file that has another content now.
func (t *Tokens) Replaced(named record.AccessToken) bool {
	return (named.Name == RegistrationID || named.Name == AdminID) && !t.InFile(named)
}

// StoreFiles stores the tokens of the files that are not stored yet, in the background:
// after a start, and after the files were read again. One that cannot be stored is stored
// with its first use.
func (t *Tokens) StoreFiles() {
	t.run(func(ctx context.Context) {
		for _, f := range t.fileTokens() {
			if _, err := t.storeFile(ctx, f); err != nil && ctx.Err() == nil {
				t.log.Warn("failed to store a token of a file; its first use tries again", zap.String("token_name", f.Name), zap.Error(err))
			}
		}
	})
}

// storeFile returns the stored record of a token of a file, which it creates if there is
// none.
func (t *Tokens) storeFile(ctx context.Context, f record.AccessToken) (record.AccessToken, error) {
	stored, err := t.find(ctx, f.ID)
	if !errors.Is(err, record.ErrNotFound) {
		return stored, err
	}
	f.CreatedAt = t.now().UTC()
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	stored, err = t.st.PutAccessToken(ctx, f)
	switch {
	case errors.Is(err, store.ErrConflict): // another replica has stored it
		return t.read(ctx, f.ID)
	case err != nil:
		return f, fmt.Errorf("storing the token of the file %s: %w", f.Name, err)
	}
	t.apply(stored)
	return stored, nil
}

// authenticateFile returns whom a token of a file belongs to. The admin token is
// accepted without the store, which it may have to mend. A worker that registers is
// stored with the ID of its token, so that record must be there.
func (t *Tokens) authenticateFile(ctx context.Context, f record.AccessToken) (Principal, error) {
	if f.Name == AdminID {
		t.run(func(ctx context.Context) {
			if stored, err := t.storeFile(ctx, f); err == nil {
				t.noteUse(stored)
			}
		})
		return Principal{TokenID: AdminID, Name: AdminID, Scope: Operate}, nil
	}
	stored, err := t.storeFile(ctx, f)
	switch {
	case err != nil:
		return Principal{}, err
	case !stored.RevokedAt.IsZero():
		return Principal{}, &RefusedError{fmt.Sprintf("token %q was revoked; write another one to its file", f.Name)}
	}
	t.noteUse(stored)
	return principalOf(stored), nil
}

// replaced returns the IDs of the tokens that were in a file, are not in it any more, and
// are not revoked. record.ErrInvalid if there is none.
func (t *Tokens) replaced(file string) ([]string, error) {
	var ids []string
	for _, named := range t.List(false) {
		if named.Name == file && t.Replaced(named) {
			ids = append(ids, named.ID)
		}
	}
	if len(ids) == 0 {
		return nil, record.Invalid("id", "is %s, whose present content is in use, and no earlier one is known: "+
			"write a new token to the file and reload the server (SIGHUP) first", file)
	}
	return ids, nil
}

// byAge compares tokens by the time of their creation.
func byAge(a, b record.AccessToken) int {
	return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
}
