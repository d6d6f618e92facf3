package access

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

// The IDs of the two tokens of the data directory, which are also their names.
const (
	AdminID        = datadir.AdminTokenFile
	RegistrationID = datadir.RegistrationTokenFile
)

// ErrRefused is returned for a token that is unknown, has expired or was revoked. The
// error is a *RefusedError.
var ErrRefused = errors.New("token refused")

// ErrUnknown is the ErrRefused for a token of which nothing is known.
var ErrUnknown error = &RefusedError{"this token is not one of this control plane"}

// RefusedError is why a token is refused. The reason names a token only to those
// who present it.
type RefusedError struct{ Reason string }

// Error returns the reason.
func (e *RefusedError) Error() string { return e.Reason }

// Is reports whether target is ErrRefused.
func (*RefusedError) Is(target error) bool { return target == ErrRefused }

// Bootstrap are the hashes of the tokens in the files of the data directory, or of the
// configuration, which may be replaced at any time: StoreFiles is called then. Workers
// that registered with a former registration token stay until that is revoked.
type Bootstrap struct{ Registration, Admin *token.Current }

// Tokens are all tokens of people, programs and agents. Its methods may be called
// concurrently.
type Tokens struct {
	st  *store.Store
	now func() time.Time
	log *zap.Logger

	bootstrap Bootstrap

	ctx    context.Context //nolint:containedctx // of the goroutines, not of a call
	cancel context.CancelFunc
	wg     sync.WaitGroup

	mu     sync.Mutex
	closed bool
	known  map[string]record.AccessToken // by ID
	used   map[string]time.Time          // when this process last stored a use, by ID
	news   chan struct{}                 // closed with the next change of known
}

// Open reads the named tokens and returns once all are known. The caller calls
// Close before it closes the store.
func Open(ctx context.Context, st *store.Store, bootstrap Bootstrap, log *zap.Logger) (*Tokens, error) {
	t := &Tokens{
		st: st, now: time.Now, log: log, bootstrap: bootstrap,
		known: map[string]record.AccessToken{}, used: map[string]time.Time{}, news: make(chan struct{}),
	}
	t.ctx, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := t.load(ctx); err != nil {
		t.Close()
		return nil, err
	}
	t.StoreFiles()
	return t, nil
}

// Close waits for the goroutines. It may be called more than once.
func (t *Tokens) Close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cancel()
	t.wg.Wait()
}

// Authenticate returns whom a token belongs to. The use of a named token is stored,
// at most once a minute. It reads the store only for a token that this replica does
// not know. ErrRefused; store.ErrUnavailable.
func (t *Tokens) Authenticate(ctx context.Context, presented string) (Principal, error) {
	named, err := t.identify(ctx, presented)
	if err != nil {
		return Principal{}, err
	}
	return t.admit(ctx, named)
}

// identify returns the record of a token, which may have ended. ErrUnknown;
// store.ErrUnavailable.
func (t *Tokens) identify(ctx context.Context, presented string) (record.AccessToken, error) {
	if f, ok := t.fileToken(presented); ok {
		return f, nil
	}
	id, ok := token.Named.ID(presented)
	if !ok {
		return record.AccessToken{}, ErrUnknown
	}
	named, err := t.find(ctx, id)
	if errors.Is(err, record.ErrNotFound) || err == nil && !named.Hash.Matches(presented) {
		return record.AccessToken{}, ErrUnknown // the same for an unknown ID and a wrong secret
	}
	return named, err
}

// admit returns whom the token of a record belongs to, and notes its use. ErrRefused if
// it was revoked or has expired; store.ErrUnavailable.
func (t *Tokens) admit(ctx context.Context, named record.AccessToken) (Principal, error) {
	switch {
	case t.InFile(named):
		return t.authenticateFile(ctx, named)
	case !named.RevokedAt.IsZero():
		return Principal{}, &RefusedError{fmt.Sprintf("token %q was revoked", named.Name)}
	case t.expired(named):
		return Principal{}, &RefusedError{fmt.Sprintf("token %q has expired", named.Name)}
	}
	t.noteUse(named)
	return principalOf(named), nil
}

// Registration returns what the token of an ID allows to the workers that registered
// with it, which may go on as long as it is not revoked: its expiry ends registrations
// only. An empty ID, and RegistrationID, are those of a token in the data directory that
// an earlier version has stored for its workers. ErrRefused; store.ErrUnavailable.
func (t *Tokens) Registration(ctx context.Context, id string) (Principal, error) {
	if id == "" || id == RegistrationID {
		return Principal{TokenID: RegistrationID, Name: RegistrationID, Scope: Register}, nil
	}
	named, err := t.find(ctx, id)
	switch {
	case errors.Is(err, record.ErrNotFound), err == nil && !named.RevokedAt.IsZero():
		return Principal{}, &RefusedError{"the token that the worker registered with was revoked"}
	case err != nil:
		return Principal{}, err
	}
	return principalOf(named), nil
}

// principalOf returns whom a named token belongs to.
func principalOf(named record.AccessToken) Principal {
	return Principal{TokenID: named.ID, Name: named.Name, Scope: Scope(named.Scope), Queues: named.Queues}
}

// expired reports whether a token has ended by itself. Its end is a date, so it is
// compared with the wall clock.
func (t *Tokens) expired(named record.AccessToken) bool {
	return !named.ExpiresAt.IsZero() && !t.now().Before(named.ExpiresAt)
}

// find returns the record of a token, from the store if it is not known.
func (t *Tokens) find(ctx context.Context, id string) (record.AccessToken, error) {
	t.mu.Lock()
	named, ok := t.known[id]
	t.mu.Unlock()
	if ok {
		return named, nil
	}
	return t.read(ctx, id)
}

// read reads the record of a token from the store.
func (t *Tokens) read(ctx context.Context, id string) (record.AccessToken, error) {
	named, err := t.st.AccessToken(ctx, id)
	if err == nil {
		t.apply(named)
	}
	return named, err //nolint:wrapcheck // the store's errors say what was attempted
}

// Name returns the name of the token of an ID, or "" if this replica does not know it. It
// reads memory only.
func (t *Tokens) Name(id string) string {
	if id == RegistrationID {
		return id // of a worker that an earlier version has stored
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[id].Name
}

// apply keeps a stored record, unless a newer one is known.
func (t *Tokens) apply(named record.AccessToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if named.Revision > t.known[named.ID].Revision {
		t.known[named.ID] = named
		close(t.news)
		t.news = make(chan struct{})
	}
}
