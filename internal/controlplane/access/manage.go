package access

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// Limits of named tokens.
const (
	// MaxTokens is the most tokens that are not revoked.
	MaxTokens = 1000
	// MaxQueues is the most queues of one token.
	MaxQueues = 64
	// MaxLife is the longest life of a token with an end.
	MaxLife = 10 * 365 * 24 * time.Hour

	maxName = 64 // bytes
)

// Grant describes a token to create.
type Grant struct {
	// Name is for people. Several tokens may have one name: the old and the new one
	// of a rotation.
	Name  string
	Scope Scope
	// Queues limit Register and Submit; the caller has checked their names.
	Queues []string
	// Life is how long the token is valid; 0 is without an end.
	Life time.Duration
}

// validate returns an error that names the first bad field.
func (g Grant) validate() error {
	switch {
	case g.Name == "" || len(g.Name) > maxName || !isPrintable(g.Name):
		return record.Invalid("name", "must have 1 to %d printable bytes", maxName)
	case uuid.Validate(g.Name) == nil, g.Name == AdminID, g.Name == RegistrationID:
		return record.Invalid("name", "must not be an ID, %s or %s", AdminID, RegistrationID)
	case !slices.Contains(Scopes(), g.Scope):
		return record.Invalid("scope", "must be one of %v", Scopes())
	case len(g.Queues) > 0 && !g.Scope.HasQueues():
		return record.Invalid("queues", "limit tokens with the scope %s or %s only, not %s", Register, Submit, g.Scope)
	case len(g.Queues) > MaxQueues:
		return record.Invalid("queues", "must be at most %d", MaxQueues)
	case g.Life < 0 || g.Life > MaxLife:
		return record.Invalid("expires_in", "must be from 0 (no end) to %v", MaxLife)
	}
	return nil
}

func isPrintable(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
}

// Create stores a new token and returns its record and its text, which is not
// stored and cannot be returned again. record.ErrInvalid, store.ErrUnavailable.
func (t *Tokens) Create(ctx context.Context, by Principal, g Grant) (record.AccessToken, string, error) {
	if err := g.validate(); err != nil {
		return record.AccessToken{}, "", err
	}
	if len(t.List(false)) >= MaxTokens {
		return record.AccessToken{}, "", record.Invalid("name", "is of one token too many: there are %d; revoke some", MaxTokens)
	}
	now := t.now().UTC()
	named := record.AccessToken{
		ID: uuid.Must(uuid.NewV7()).String(), Name: g.Name, Scope: string(g.Scope), Queues: g.Queues,
		CreatedAt: now, CreatedBy: by.Name,
	}
	if g.Life > 0 {
		named.ExpiresAt = now.Add(g.Life)
	}
	var text string
	text, named.Hash = token.Named.New(named.ID)
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	named, err := t.st.PutAccessToken(ctx, named)
	if err != nil {
		return record.AccessToken{}, "", fmt.Errorf("creating a token: %w", err)
	}
	t.apply(named)
	return named, text, nil
}

// List returns the records of the tokens, the oldest first: those that are not
// revoked or, with all, those that were revoked lately, too.
func (t *Tokens) List(all bool) []record.AccessToken {
	t.mu.Lock()
	defer t.mu.Unlock()
	var list []record.AccessToken
	for id, named := range t.known {
		if !named.RevokedAt.IsZero() {
			if t.now().Sub(named.RevokedAt) > t.st.Retention() {
				delete(t.known, id) // the store has removed it
				continue
			}
			if !all {
				continue
			}
		}
		list = append(list, named)
	}
	slices.SortFunc(list, byAge)
	return list
}

// Revoke ends a token, which ref names by its ID or by a name that only one token
// has. The name of a file of the data directory names its earlier contents. It returns
// the tokens, the oldest first, and whether one of them was not revoked before: revoking
// one again is a success. record.ErrNotFound; record.ErrInvalid for an ambiguous name and
// for the admin token in use; store.ErrUnavailable.
func (t *Tokens) Revoke(ctx context.Context, by Principal, ref string) (revoked []record.AccessToken, changed bool, err error) {
	ids, err := t.resolve(ref)
	for _, id := range ids {
		named, ended, err := t.revoke(ctx, by, id)
		if err != nil {
			return revoked, changed, err
		}
		revoked, changed = append(revoked, named), changed || ended
	}
	return revoked, changed, err
}

// revoke ends the token of an ID, and reports whether it was not revoked before.
func (t *Tokens) revoke(ctx context.Context, by Principal, id string) (_ record.AccessToken, changed bool, err error) {
	ctx, cancel := store.Detach(ctx)
	defer cancel()
	for range store.MaxConflicts {
		named, err := t.read(ctx, id)
		switch {
		case err != nil || !named.RevokedAt.IsZero():
			return named, false, err
		case named.Name == AdminID && t.InFile(named):
			return named, false, record.Invalid("id", "is the admin token in use: "+
				"write a new token to its file and reload the server (SIGHUP) first")
		}
		named.RevokedAt, named.RevokedBy = t.now().UTC(), by.Name
		stored, err := t.st.PutAccessToken(ctx, named)
		if err == nil {
			t.apply(stored)
			return stored, true, nil
		}
		if !errors.Is(err, store.ErrConflict) {
			return record.AccessToken{}, false, fmt.Errorf("revoking token %s: %w", id, err)
		}
	}
	return record.AccessToken{}, false, fmt.Errorf("revoking token %s: %w", id, store.ErrConflict)
}

// resolve returns the IDs of the tokens that ref names.
func (t *Tokens) resolve(ref string) ([]string, error) {
	if uuid.Validate(ref) == nil {
		return []string{ref}, nil
	}
	if ref == AdminID || ref == RegistrationID {
		return t.replaced(ref)
	}
	var ids []string
	for _, named := range t.List(false) {
		if named.Name == ref {
			ids = append(ids, named.ID)
		}
	}
	switch len(ids) {
	case 0:
		return nil, fmt.Errorf("no token is named %q: %w", ref, record.ErrNotFound)
	case 1:
		return ids, nil
	}
	return nil, record.Invalid("id", "is %q, a name that %d tokens have: use the ID", ref, len(ids))
}
