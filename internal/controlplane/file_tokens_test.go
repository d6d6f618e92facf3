package controlplane_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/datadir"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// listed returns the tokens of a name as "workers" or "replaced workers", in the order of
// the list.
func (b *bed) listed(name string) string {
	b.t.Helper()
	list, err := b.tokens.ListTokens(b.t.Context(), &switchyardv1.ListTokensRequest{})
	if err != nil {
		b.t.Fatal(err)
	}
	var found []string
	for _, token := range list.GetTokens() {
		if token.GetName() != name {
			continue
		}
		text := map[int32]string{0: "no workers", 1: "a worker", 2: "2 workers"}[token.GetWorkers()]
		if token.GetReplaced() {
			text = "replaced " + text
		}
		found = append(found, text)
	}
	return strings.Join(found, ", ")
}

// expectListed waits until the list has these tokens of a name: files are stored in the
// background.
func (b *bed) expectListed(name, want string) {
	b.t.Helper()
	deadline := time.Now().Add(waitLimit)
	for b.listed(name) != want {
		if time.Now().After(deadline) {
			b.t.Fatalf("%s: listed %q, want %q", name, b.listed(name), want)
		}
	}
}

// The registration token of the data directory is replaced without an interruption: both
// tokens are in the file for a while. Then the workers that registered with the earlier
// one are turned away, and no others.
func TestRotationOfTheRegistrationToken(t *testing.T) {
	dir := t.TempDir()
	b := start(t, func(c *controlplane.Config) { c.DataDir = dir })
	path, old := filepath.Join(dir, datadir.RegistrationTokenFile), b.RegistrationToken()
	const fresh = "the-new-registration-token"
	write := func(lines ...string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Reload(controlplane.Config{}); err != nil {
			t.Fatal(err)
		}
	}
	register := func(name, token string, status int) string {
		t.Helper()
		return b.must(status, request{method: "POST", path: "/v3/register", token: token, body: `{"name":"` + name + `"}`}).text("access_token")
	}
	expect := func(want string) {
		t.Helper()
		b.expectListed(datadir.RegistrationTokenFile, want)
	}
	revoke := func(ref string) (*switchyardv1.RevokeTokenResponse, error) {
		return b.tokens.RevokeToken(t.Context(), &switchyardv1.RevokeTokenRequest{Id: ref})
	}
	expect("no workers")
	before := register("before", old, http.StatusOK)
	_, err := revoke(datadir.RegistrationTokenFile)
	expectError(t, "revoking the token in use", err, connect.CodeInvalidArgument, "write a new token to the file and reload")

	write(fresh, old)
	if b.RegistrationToken() != fresh {
		t.Errorf("the token for agents is %q, want that of the first line", b.RegistrationToken())
	}
	register("during", old, http.StatusOK)
	after := register("after", fresh, http.StatusOK)
	expect("2 workers, a worker")

	write(fresh)
	register("late", old, http.StatusUnauthorized)
	b.must(http.StatusOK, request{method: "GET", path: "/v3/ping", token: before})
	expect("replaced 2 workers, a worker")

	revoked, err := revoke(datadir.RegistrationTokenFile)
	if err != nil || revoked.GetRevokedWorkers() != 2 || revoked.GetToken().GetName() != datadir.RegistrationTokenFile {
		t.Fatalf("revoking the earlier content: %v, %v; want 2 workers", revoked, err)
	}
	b.must(http.StatusUnauthorized, request{method: "GET", path: "/v3/ping", token: before})
	b.must(http.StatusOK, request{method: "GET", path: "/v3/ping", token: after})
	expect("a worker")

	write(old) // a revoked token does not come back with its file
	if message := b.must(http.StatusUnauthorized, request{method: "POST", path: "/v3/register", token: old, body: `{"name":"x"}`}).text("message"); !strings.Contains(message, "was revoked; write another one to its file") {
		t.Errorf("a revoked token in the file is refused with %q", message)
	}
}

// The admin token is listed, with its earlier contents, and the one in use is not revoked.
func TestAdminTokenIsListed(t *testing.T) {
	b := start(t)
	b.expectListed(datadir.AdminTokenFile, "no workers")
	list, err := b.tokens.ListTokens(t.Context(), &switchyardv1.ListTokensRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, token := range list.GetTokens() {
		if token.GetName() == datadir.AdminTokenFile {
			_, err := b.tokens.RevokeToken(t.Context(), &switchyardv1.RevokeTokenRequest{Id: token.GetId()})
			expectError(t, "revoking the admin token in use", err, connect.CodeInvalidArgument, "is the admin token in use")
		}
	}
}
