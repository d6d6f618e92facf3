package controlplane_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	switchyardv1 "github.com/switchyard-ci/switchyard/proto/switchyard/v1"
)

// A session offers what its token allows, and ends with its token.
func TestWebSession(t *testing.T) {
	t.Parallel()
	b := start(t)
	operator := b.signedIn(b.AdminToken())
	operator.expect(operator.get("/jobs"), http.StatusOK, "Submit a job", "admin-token")
	operator.expect(operator.get("/audit"), http.StatusOK)

	presented := b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_READ)
	viewer := b.signedIn(presented)
	viewer.expect(viewer.get("/jobs"), http.StatusOK, "-Submit a job", "-Audit")
	viewer.expect(viewer.get("/audit"), http.StatusForbidden)
	viewer.expect(viewer.post("/queue/pause", url.Values{"name": {"q"}, "reason": {"r"}}), http.StatusForbidden)
	id, _ := token.Named.ID(presented)
	if _, err := b.tokens.RevokeToken(t.Context(), &switchyardv1.RevokeTokenRequest{Id: id}); err != nil {
		t.Fatal(err)
	}
	if page := viewer.get("/jobs"); page.path != "/signin" {
		t.Errorf("after the revocation: %s", page.path)
	}

	submitter := b.signedIn(b.createToken(switchyardv1.TokenScope_TOKEN_SCOPE_SUBMIT))
	submitter.expect(submitter.get("/"), http.StatusOK, "Submit a job", "Open a job by its ID")

	address, err := url.Parse(operator.url)
	if err != nil {
		t.Fatal(err)
	}
	copied := b.reader()
	copied.client.Jar.SetCookies(address, operator.client.Jar.Cookies(address))
	copied.expect(copied.get("/jobs"), http.StatusOK, "Submit a job")
	another := b.signedIn(b.AdminToken())
	if page := operator.post("/signout", nil); page.path != "/signin" {
		t.Errorf("after the sign-out: %s", page.path)
	}
	if page := operator.get("/workers?state=all"); page.path != "/signin" || !strings.Contains(page.body, `value="/workers?state=all"`) {
		t.Errorf("after the sign-out: %s\n%s", page.path, page.body)
	}
	if page := copied.get("/jobs"); page.path != "/signin" {
		t.Errorf("a copy of the cookie, after the sign-out: %s", page.path)
	}
	another.expect(another.get("/jobs"), http.StatusOK, "Submit a job")
}

// Sessions that were ended take room in the store, so a token can end only so many at once.
func TestWebSignOutIsBounded(t *testing.T) {
	t.Parallel()
	b := start(t)
	for range 10 {
		r := b.signedIn(b.AdminToken())
		r.expect(r.post("/signout", nil), http.StatusOK, "Sign in")
	}
	r := b.signedIn(b.AdminToken())
	r.expect(r.post("/signout", nil), http.StatusServiceUnavailable, "This browser is signed out, but")
	if page := r.get("/jobs"); page.path != "/signin" {
		t.Errorf("after the sign-out: %s", page.path)
	}
}

// Who may not sign in learns why, and after some attempts has to wait.
func TestWebSignInRefused(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.reader()
	r.expect(r.post("/signin", url.Values{"token": {b.RegistrationToken()}}), http.StatusUnauthorized, "for agents")
	for range 9 {
		r.expect(r.post("/signin", url.Values{"token": {"wrong"}}), http.StatusUnauthorized, "not one of this control plane", "-wrong")
	}
	r.expect(r.post("/signin", url.Values{"token": {b.AdminToken()}}), http.StatusTooManyRequests, "Wait a moment")
	for next, want := range map[string]string{"//evil": "/", `/\evil`: "/", "https://evil": "/", "/jobs?queue=q": "/jobs?queue=q"} {
		r.expect(r.get("/signin?next="+url.QueryEscape(next)), http.StatusOK, `name="next" value="`+want+`"`)
	}
}

// A session ends when its token is replaced in its file, and survives when the token is one
// of two.
func TestWebReplacedToken(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b := start(t, func(c *controlplane.Config) { c.DataDir = dir })
	r := b.signedIn(b.AdminToken())
	path := filepath.Join(dir, "admin-token")
	for _, step := range []struct{ content, want string }{
		{strings.Repeat("new", 10) + "\n" + b.AdminToken() + "\n", "/jobs"}, {strings.Repeat("new", 10) + "\n", "/signin"},
	} {
		if err := os.WriteFile(path, []byte(step.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Reload(controlplane.Config{DataDir: dir}); err != nil {
			t.Fatal(err)
		}
		if page := r.get("/jobs"); page.path != step.want {
			t.Errorf("%s, want %s", page.path, step.want)
		}
	}
}

// A form that another site sends is refused before it is read, and every response has the
// headers that keep other sites out.
func TestWebOtherSites(t *testing.T) {
	t.Parallel()
	b := start(t)
	r := b.signedIn(b.AdminToken())
	for _, header := range []http.Header{
		{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
	} {
		for _, path := range []string{"/jobs", "/signin", "/signout", "/queue/pause"} {
			page := r.do(http.MethodPost, path, url.Values{"command": {"true"}, "token": {b.AdminToken()}}, header)
			r.expect(page, http.StatusForbidden)
		}
	}
	r.expect(r.get("/jobs"), http.StatusOK, "No job matches")
	port := r.url[strings.LastIndex(r.url, ":"):]
	rebound := *r // a name of another site that leads here
	rebound.url, rebound.client = "http://rebound.example"+port, b.resolving("rebound.example"+port, r.client)
	if page := rebound.get("/jobs"); page.path != "/signin" {
		t.Errorf("under another name a session is that of this one: %s", page.path)
	}
	rebound.expect(rebound.post("/queue/pause", url.Values{"name": {"q"}, "reason": {"r"}}), http.StatusUnauthorized)
	for _, path := range []string{"/", "/jobs", "/jobs/nosuch", "/static/nosuch", "/audit", "/machine/job/queued.svg"} {
		header := r.get(path).header
		if !strings.HasPrefix(header.Get("Content-Security-Policy"), "default-src 'none'") || header.Get("X-Content-Type-Options") != "nosniff" ||
			header.Get("Referrer-Policy") != "no-referrer" || header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: %v", path, header)
		}
	}
}
