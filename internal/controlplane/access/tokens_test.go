package access

import (
	"errors"
	"strings"
	"testing"
	"time"

	"go.uber.org/zap/zaptest"

	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

// waitLimit bounds every wait. A test that reaches it fails.
const waitLimit = 20 * time.Second

func openStore(t *testing.T) *store.Store {
	t.Helper()
	st, err := store.Open(t.Context(), store.Options{DataDir: t.TempDir(), Logger: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(st.Close)
	return st
}

func openTokens(t *testing.T, st *store.Store) *Tokens {
	t.Helper()
	tokens, err := Open(t.Context(), st, Bootstrap{Registration: &token.Current{}, Admin: &token.Current{}}, zaptest.NewLogger(t))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tokens.Close)
	return tokens
}

// admin is the caller who creates and revokes.
var admin = Principal{Name: AdminID, TokenID: AdminID, Scope: Operate}

func (t *Tokens) mustCreate(tb testing.TB, g Grant) (record.AccessToken, string) {
	tb.Helper()
	named, text, err := t.Create(tb.Context(), admin, g)
	if err != nil {
		tb.Fatal(err)
	}
	return named, text
}

// eventually waits until a condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(waitLimit)
	for !holds() {
		select {
		case <-deadline:
			t.Fatalf("%s: not within %v", what, waitLimit)
		default:
		}
	}
}

// Replicas share tokens: one that was created on another replica is known at once,
// one that was revoked there is refused soon, and so are its workers.
func TestReplicasShareTokens(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	one, two := openTokens(t, st), openTokens(t, st)
	named, text := one.mustCreate(t, Grant{Name: "agents", Scope: Register, Queues: []string{"a"}})
	got, err := two.Authenticate(t.Context(), text)
	if err != nil || got.Name != "agents" || got.Scope != Register || !got.MayUse("a") || got.MayUse("b") {
		t.Fatalf("on the other replica: %+v, %v", got, err)
	}
	if _, changed, err := one.Revoke(t.Context(), admin, "agents"); err != nil || !changed {
		t.Fatalf("revoking it: changed %t, %v", changed, err)
	}
	if _, err := one.Authenticate(t.Context(), text); !errors.Is(err, ErrRefused) || errors.Is(err, ErrUnknown) {
		t.Errorf("on the replica that revoked it: %v", err)
	}
	eventually(t, "refused by the other replica", func() bool {
		_, err := two.Authenticate(t.Context(), text)
		return errors.Is(err, ErrRefused)
	})
	if _, err := two.Registration(t.Context(), named.ID); !errors.Is(err, ErrRefused) {
		t.Errorf("a worker that registered with it: %v", err)
	}
	if _, err := two.Registration(t.Context(), "018f4e8e-0000-7000-8000-000000000000"); !errors.Is(err, ErrRefused) {
		t.Errorf("a worker of a token that is not stored any more: %v", err)
	}
	again, changed, err := two.Revoke(t.Context(), Principal{Name: "other"}, named.ID)
	if err != nil || changed || again[0].RevokedBy != AdminID {
		t.Errorf("revoking it again: by %s, changed %t, %v; want the first one, unchanged", again[0].RevokedBy, changed, err)
	}
}

// A token whose ID is right and whose secret is wrong is as unknown as any other.
func TestWrongSecrets(t *testing.T) {
	t.Parallel()
	tokens := openTokens(t, openStore(t))
	named, text := tokens.mustCreate(t, Grant{Name: "a", Scope: Read})
	forged, _ := token.Named.New(named.ID)
	other, _ := token.Named.New("018f4e8e-0000-7000-8000-000000000000")
	for _, presented := range []string{"", "x", text[:len(text)-1], text + "x", forged, other, strings.ToUpper(text)} {
		if _, err := tokens.Authenticate(t.Context(), presented); !errors.Is(err, ErrUnknown) {
			t.Errorf("with %.12q...: %v, want ErrUnknown", presented, err)
		}
	}
}

// An expired token authenticates nobody; the workers that registered with it stay.
func TestExpiry(t *testing.T) {
	t.Parallel()
	tokens := openTokens(t, openStore(t))
	named, text := tokens.mustCreate(t, Grant{Name: "a", Scope: Register, Life: time.Hour})
	for _, row := range []struct {
		after time.Duration
		works bool
	}{{0, true}, {time.Hour - time.Second, true}, {time.Hour + time.Second, false}} {
		tokens.now = func() time.Time { return named.CreatedAt.Add(row.after) }
		if _, err := tokens.Authenticate(t.Context(), text); (err == nil) != row.works || err != nil && !strings.Contains(err.Error(), "expired") {
			t.Errorf("after %v: %v", row.after, err)
		}
		if _, err := tokens.Registration(t.Context(), named.ID); err != nil {
			t.Errorf("a worker, after %v: %v", row.after, err)
		}
	}
}

// The use of a token is stored once a minute, however often it is used.
func TestUseIsStoredOnceAMinute(t *testing.T) {
	t.Parallel()
	st := openStore(t)
	tokens := openTokens(t, st)
	named, text := tokens.mustCreate(t, Grant{Name: "a", Scope: Read})
	stored := func() record.AccessToken {
		got, err := st.AccessToken(t.Context(), named.ID)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	use := func(at time.Time) {
		tokens.now = func() time.Time { return at }
		for range 50 {
			if _, err := tokens.Authenticate(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "stored", func() bool { return stored().LastUsedAt.Equal(at) })
	}
	first := named.CreatedAt.Add(time.Second)
	use(first)
	revision := stored().Revision
	tokens.now = func() time.Time { return first.Add(useInterval - time.Second) }
	for range 50 {
		if _, err := tokens.Authenticate(t.Context(), text); err != nil {
			t.Fatal(err)
		}
	}
	use(first.Add(useInterval)) // would come after a write of the loop above
	if got := stored().Revision; got != revision+1 {
		t.Errorf("%d records were stored in the second minute, want 1", got-revision)
	}
}
