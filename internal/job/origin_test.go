//go:build unix

package job

import (
	"io"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// origin is a repository with two commits on main, the first of which has a tag,
// one on a side branch, and two on a pull request, which no branch has. Other branches
// have names that mean something else, too.
type origin struct {
	dir                 string
	first, second, side string
	base, pull          string
}

func newOrigin(t *testing.T) *origin {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("no git on this system")
	}
	o := &origin{dir: filepath.Join(t.TempDir(), "origin.git")}
	o.git(t, "init", "--quiet", "--initial-branch=main", o.dir)
	commit := func(text string) string {
		if err := os.WriteFile(filepath.Join(o.dir, "file"), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		o.git(t, "-C", o.dir, "add", "file")
		o.git(t, "-C", o.dir, "commit", "--quiet", "--message", text)
		return o.git(t, "-C", o.dir, "rev-parse", "HEAD")
	}
	o.first = commit("first")
	o.git(t, "-C", o.dir, "tag", "v1")
	o.second = commit("second")
	o.git(t, "-C", o.dir, "checkout", "--quiet", "-b", "side")
	o.side = commit("side")
	for _, name := range []string{"both", "tag", "+plus", "-minus", "beef", "refs/pull/7/head", "a'b"} {
		o.git(t, "-C", o.dir, "update-ref", "refs/heads/"+name, o.side)
	}
	o.git(t, "-C", o.dir, "tag", "both", o.first)
	o.git(t, "-C", o.dir, "tag", "--annotate", "--message", "annotated", "annotated", o.first)
	o.git(t, "-C", o.dir, "checkout", "--quiet", "--detach", "main")
	o.base, o.pull = commit("base"), commit("pull")
	o.git(t, "-C", o.dir, "update-ref", "refs/pull/8/head", o.pull)
	o.git(t, "-C", o.dir, "checkout", "--quiet", "main")
	o.git(t, "-C", o.dir, "update-server-info") // for a server of plain files
	return o
}

func (o *origin) git(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...) //nolint:gosec // the test's own words
	cmd.Env = []string{
		"PATH=" + os.Getenv("PATH"), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@b.example", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@b.example",
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %q: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// serve serves the repository on loopback with git's own server. Gate gets every
// request first; if it returns false, it has responded itself.
func (o *origin) serve(t *testing.T, gate func(http.ResponseWriter, *http.Request) bool) string {
	t.Helper()
	var backend http.Handler = &cgi.Handler{
		Path:   filepath.Join(o.git(t, "--exec-path"), "git-http-backend"),
		Stderr: io.Discard,
		Env:    []string{"GIT_PROJECT_ROOT=" + filepath.Dir(o.dir), "GIT_HTTP_EXPORT_ALL=1", "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*"},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if gate == nil || gate(w, r) {
			backend.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/" + filepath.Base(o.dir)
}
