//go:build unix

package job

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// origin is a repository with two commits on main, the first of which has a tag,
// and one on a side branch.
type origin struct {
	dir                 string
	first, second, side string
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

// TestCheckout checks out existing commits from every kind of server.
func TestCheckout(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	smart := o.serve(t, nil)
	files := httptest.NewServer(http.FileServer(http.Dir(o.dir)))
	t.Cleanup(files.Close)
	var failed atomic.Int32
	flaky := o.serve(t, func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost && failed.Add(1) <= 2 { // the first try requests twice: the commit, and all branches
			http.Error(w, "not now", http.StatusServiceUnavailable)
			return false
		}
		return true
	})
	const content = "cat file; git status --short; ls .git/hooks 2>/dev/null || echo no hooks"
	tests := []struct {
		name string
		env  map[string]string
		want string // the file's content
		log  []string
	}{
		{"a commit by its whole name", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: o.first}, "first", []string{"checking out " + o.first}},
		{"from files", map[string]string{wire.EnvRepo: files.URL + "/.git", wire.EnvCommit: o.first}, "first", nil},
		{"from a path", map[string]string{wire.EnvRepo: o.dir, wire.EnvCommit: o.side}, "side", nil},
		{"a commit by a part of its name", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: o.side[:10]}, "side", nil},
		{"a tag", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: "v1"}, "first", nil},
		{"a branch in a commit's place", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: "side"}, "side", nil},
		{"the newest of a branch", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvBranch: "side"}, "side", nil},
		{"the newest", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit}, "second", nil},
		{"the newest, from files", map[string]string{wire.EnvRepo: files.URL + "/.git", wire.EnvCommit: wire.HeadCommit}, "second", nil},
		{"not skipped", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvSkipCheckout: "false"}, "second", nil},
		{"at the second try", map[string]string{wire.EnvRepo: flaky, wire.EnvCommit: o.second}, "second", []string{"503", "trying again in", "HEAD is now at"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, content)
			opts.checkoutPause = time.Millisecond
			maps.Copy(spec.Env, tt.env)
			result, err := Run(t.Context(), spec, cp, opts)
			if err != nil || result.ExitStatus != "0" {
				t.Errorf("%+v, %v", result, err)
			}
			checkLog(t, cp, "", append(tt.log, "\n"+tt.want+"\nno hooks\n"))
			checkCalls(t, cp, result)
			checkEmpty(t, opts.BuildPath)
		})
	}
}

// TestNoCheckout runs jobs that name a repository and ask for no checkout.
func TestNoCheckout(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"skipped":       {wire.EnvRepo: "/no/such", wire.EnvCommit: wire.HeadCommit, wire.EnvSkipCheckout: "true"},
		"no commit":     {wire.EnvRepo: "/no/such"},
		"no repository": {wire.EnvCommit: wire.HeadCommit},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, "ls -A; echo end")
			maps.Copy(spec.Env, env)
			if result, err := Run(t.Context(), spec, cp, opts); err != nil || result.ExitStatus != "0" {
				t.Errorf("%+v, %v", result, err)
			}
			checkLog(t, cp, "end\n", nil)
		})
	}
}

// TestCheckoutFails asks for what does not exist, and for values that git could
// parse as options.
func TestCheckoutFails(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	closed := o.serve(t, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("WWW-Authenticate", "Basic")
		http.Error(w, "who is it", http.StatusUnauthorized)
		return false
	})
	const (
		cannot = "switchyard: cannot run the job: "
		option = `must not begin with "-"`
	)
	tests := []struct {
		name                 string
		repo, commit, branch string
		tries                int
		log                  []string
	}{
		{"no such repository", "/no/such", o.first, "", 3, []string{cannot + o.first + " of /no/such cannot be checked out: git fetch failed with exit status 128"}},
		{"no such commit", o.dir, strings.Repeat("12", 20), "", 1, []string{cannot, "has no commit 1212"}},
		{"no such branch", o.dir, wire.HeadCommit, "nothing", 3, []string{cannot, "git fetch failed"}},
		{"no such tag", o.dir, "v9", "", 1, []string{cannot, "has no commit v9 on a branch or a tag"}},
		{"no credentials", strings.Replace(closed, "://", "://somebody:password@", 1), o.first, "", 3, []string{"checking out " + o.first + " of http://127.0.0.1", cannot}},
		{"a repository that is an option", "--upload-pack=touch pwned", o.first, "", 0, []string{cannot + wire.EnvRepo, option}},
		{"a repository that is a program", "ext::sh -c touch% pwned", o.first, "", 3, []string{cannot, "git fetch failed"}},
		{"a host that is an option", "ssh://-oProxyCommand=touch pwned/x", o.first, "", 3, []string{cannot, "git fetch failed"}},
		{"a commit that is an option", o.dir, "--upload-pack=touch pwned", "", 0, []string{cannot + wire.EnvCommit, option}},
		{"a branch that is an option", o.dir, wire.HeadCommit, "-f", 0, []string{cannot + wire.EnvBranch, option}},
		{"a branch that writes elsewhere", o.dir, wire.HeadCommit, "main:refs/heads/x", 0, []string{cannot + wire.EnvBranch, "a character that is not allowed"}},
		{"a branch that forces", o.dir, wire.HeadCommit, "+main", 0, []string{cannot + wire.EnvBranch}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, "echo never")
			spec.Env[wire.EnvRepo], spec.Env[wire.EnvCommit], spec.Env[wire.EnvBranch] = tt.repo, tt.commit, tt.branch
			opts.checkoutPause = time.Millisecond
			result, err := Run(t.Context(), spec, cp, opts)
			if result.ExitStatus != wire.ExitStatusNeverRan || result.SignalReason != wire.ReasonProcessRunError {
				t.Errorf("%+v", result)
			}
			checkPhases(t, err, []Phase{PhasePrepare})
			checkLog(t, cp, "", tt.log)
			checkCalls(t, cp, result)
			checkEmpty(t, opts.BuildPath)
			log, _ := cp.log()
			if again := strings.Count(string(log), "trying again in"); again != max(tt.tries-1, 0) {
				t.Errorf("tried again %d times, want %d:\n%s", again, max(tt.tries-1, 0), log)
			}
			if strings.Contains(string(log), "password") || strings.Contains(string(log), "never") {
				t.Errorf("the log contains a secret or output:\n%s", log)
			}
		})
	}
}

// TestCheckoutCanceled cancels a job while git waits for a server, and between two
// tries.
func TestCheckoutCanceled(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	silent := func(requested func()) string {
		return o.serve(t, func(_ http.ResponseWriter, r *http.Request) bool {
			requested()
			<-r.Context().Done() // git has ended
			return false
		})
	}
	tests := []struct {
		name   string
		cause  error
		reason string
		repo   func(requested func()) string
		await  string // in the log, before the cancellation; empty: a request
	}{
		{"while git waits", ErrCanceled, wire.ReasonCancel, silent, ""},
		{"by an agent that leaves", ErrAgentStop, wire.ReasonAgentStop, silent, ""},
		{"between two tries", ErrCanceled, wire.ReasonCancel, func(func()) string { return "/no/such" }, "trying again in"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			cp := &recorder{}
			spec, opts := jobFor(t, "echo never")
			spec.Env[wire.EnvRepo], spec.Env[wire.EnvCommit] = tt.repo(func() { cancel(tt.cause) }), wire.HeadCommit
			opts.checkoutPause, opts.CancelGrace = long, long
			if tt.await != "" {
				go func() {
					cp.await(t, tt.await)
					cancel(tt.cause)
				}()
			}
			result, err := Run(ctx, spec, cp, opts)
			if err != nil || result.ExitStatus != wire.ExitStatusNeverRan || result.SignalReason != tt.reason || !errors.Is(result.Canceled, tt.cause) {
				t.Errorf("%+v, %v", result, err)
			}
			checkLog(t, cp, "", []string{tt.cause.Error() + " before its command was run"})
			checkCalls(t, cp, result)
			checkEmpty(t, opts.BuildPath)
		})
	}
}
