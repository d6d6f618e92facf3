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

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/logpipe"
	"github.com/switchyard-ci/switchyard/internal/job/workspace"
	"github.com/switchyard-ci/switchyard/internal/wire"
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
	// Of a server of the older protocol nothing can be fetched but the tips of references.
	tips := o.serve(t, func(_ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Git-Protocol")
		return true
	})
	var requests atomic.Int32
	late := newOrigin(t)
	lateURL := late.serve(t, func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasSuffix(r.URL.Path, "/info/refs") && requests.Add(1) == 2 {
			late.git(t, "-C", late.dir, "tag", "late", late.second)
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
		{"a branch that has the name of a tag", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvBranch: "both"}, "side", []string{"checked out commit " + o.side + ", the tip of refs/heads/both"}},
		{"a tag that has the name of a branch", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: "both"}, "first", []string{"checked out commit " + o.first + ", the tip of refs/tags/both"}},
		{"a tag in a branch's place", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvBranch: "v1"}, "first", []string{"the tip of refs/tags/v1"}},
		{"an annotated tag", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: "annotated"}, "first", []string{"checked out commit " + o.first + ", the tip of refs/tags/annotated"}},
		{"a branch called tag", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvBranch: "tag"}, "side", nil},
		{"a branch that begins with a plus", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvBranch: "+plus"}, "side", nil},
		{"a branch that begins with a minus", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvBranch: "-minus"}, "side", nil},
		{"a branch with a quote", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvBranch: "a'b"}, "side", nil},
		{"a branch that looks like a hash", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: "beef"}, "side", []string{"the tip of refs/heads/beef"}},
		{"a branch that looks like a complete reference", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvBranch: "refs/pull/7/head"}, "side", nil},
		{"a complete reference", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: wire.HeadCommit, wire.EnvBranch: "refs/pull/8/head"}, "pull", []string{"the tip of refs/pull/8/head"}},
		{"a complete reference in a commit's place", map[string]string{wire.EnvRepo: smart, wire.EnvCommit: "refs/pull/8/head"}, "pull", nil},
		{"a commit that only a reference has", map[string]string{wire.EnvRepo: tips, wire.EnvCommit: o.base, wire.EnvBranch: "refs/pull/8/head"}, "base", nil},
		{"a part of its name", map[string]string{wire.EnvRepo: tips, wire.EnvCommit: o.base[:12], wire.EnvBranch: "refs/pull/8/head"}, "base", nil},
		{"a commit that is not a tip", map[string]string{wire.EnvRepo: tips, wire.EnvCommit: o.second}, "second", nil},
		{"a branch that does not have the commit", map[string]string{wire.EnvRepo: tips, wire.EnvCommit: o.second, wire.EnvBranch: "v1"}, "second", nil},
		{"a branch that is not there, with a commit", map[string]string{wire.EnvRepo: tips, wire.EnvCommit: o.second, wire.EnvBranch: "nothing"}, "second", nil},
		{"a tag that comes later", map[string]string{wire.EnvRepo: lateURL, wire.EnvCommit: "late"}, "second", []string{"has no branch, tag or reference late; trying again in"}},
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
		token  = "password-of-the-repository"
	)
	tests := []struct {
		name                 string
		repo, commit, branch string
		tries                int
		log                  []string
	}{
		{"no such repository", "/no/such", o.first, "", 3, []string{cannot + o.first + " of /no/such cannot be checked out: git fetch failed with exit status 128"}},
		{"no such commit", o.dir, strings.Repeat("12", 20), "", 3, []string{cannot, "has no commit 1212"}},
		{"no such branch", o.dir, wire.HeadCommit, "nothing", 3, []string{cannot, "has no branch, tag or reference nothing"}},
		{"no such tag", o.dir, "v9", "", 3, []string{cannot, "has no branch, tag or reference v9"}},
		{"no credentials", strings.Replace(closed, "://", "://somebody:password@", 1), o.first, "", 3, []string{"checking out " + o.first + " of http://[REDACTED]@127.0.0.1", cannot}},
		{"a repository that is an option", "--upload-pack=touch pwned", o.first, "", 0, []string{cannot + wire.EnvRepo, option}},
		{"a repository that is a program", "ext::sh -c touch% pwned", o.first, "", 3, []string{cannot, "git fetch failed"}},
		{"a host that is an option", "ssh://-oProxyCommand=touch pwned/x", o.first, "", 3, []string{cannot, "git fetch failed"}},
		{"a commit that is an option", o.dir, "--upload-pack=pwned", "", 3, []string{cannot, "has no branch, tag or reference --upload-pack=pwned"}},
		{"a branch that is an option", o.dir, wire.HeadCommit, "-f", 3, []string{cannot, "has no branch, tag or reference -f"}},
		{"a branch that writes elsewhere", o.dir, wire.HeadCommit, "main:refs/heads/x", 0, []string{cannot + wire.EnvBranch, "must not contain ':'"}},
		{"a branch that forces", o.dir, wire.HeadCommit, "+main", 3, []string{cannot, "has no branch, tag or reference +main"}},
		{"an expression", o.dir, "main~1", "", 0, []string{cannot + wire.EnvCommit, "must not contain '~'"}},
		{"a token in the URL", "http://" + token + "@127.0.0.1:1/r.git", wire.HeadCommit, "", 3, []string{"of http://[REDACTED]@127.0.0.1:1/r.git", cannot}},
		{"a password in the URL", "http://me:" + token + "%2F%40@127.0.0.1:1/r.git", wire.HeadCommit, "", 3, []string{"of http://[REDACTED]@127.0.0.1:1/r.git", cannot}},
		{"a password with a slash in the URL", "http://me:" + token + "/x@127.0.0.1:1/r.git", wire.HeadCommit, "", 3, []string{"of http://[REDACTED]@127.0.0.1:1/r.git", cannot}},
		{"a URL with a line break", "http://me:" + token + "@127.0.0.1:1/r.git\n", wire.HeadCommit, "", 0, []string{cannot + wire.EnvRepo + " must not contain a line break"}},
		{"a URL that cannot be parsed", "http://me:" + token + "@[/r.git", wire.HeadCommit, "", 3, []string{cannot}},
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
			if strings.Contains(string(log), "password-of") || strings.Contains(string(log), ":password@") || strings.Contains(string(log), "never") {
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

// TestCheckoutBeginsClean checks out into a directory in which a git that was killed has
// left a lock, and files.
func TestCheckoutBeginsClean(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	_, opts := jobFor(t, "")
	opts, err := opts.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o.git(t, "init", "--quiet", dir)
	if err := errors.Join(
		os.WriteFile(filepath.Join(dir, ".git", "index.lock"), nil, 0o600),
		os.WriteFile(filepath.Join(dir, "stale"), nil, 0o400),
		os.Mkdir(filepath.Join(dir, "closed"), 0o500),
	); err != nil {
		t.Fatal(err)
	}
	log := logpipe.New(t.Context(), logpipe.Config{Upload: (&recorder{}).Chunk, ChunkMaxSize: 1 << 20, ChunkInterval: time.Second, WarnSize: 1 << 30, Logger: zap.NewNop()})
	source := workspace.Source{Repository: o.dir, Commit: o.first, Branch: wire.HeadCommit}
	err = workspace.Checkout(t.Context(), source, dir, workspace.CheckoutOptions{
		Process: (&run{opts: opts, logger: zap.NewNop()}).processOptions(), Environ: os.Environ(), RetryPause: time.Millisecond, StallLimit: long,
	}, log)
	log.Flush()
	if err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the directory has %v, %v; want .git and file", entries, err)
	}
}

// TestCheckoutAsksNobody has programs in the agent's environment that ask for a password
// and never end, and variables of a git that has started the agent.
func TestCheckoutAsksNobody(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	closed := o.serve(t, func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("WWW-Authenticate", "Basic")
		http.Error(w, "who is it", http.StatusUnauthorized)
		return false
	})
	hang := executable(t, "#!/bin/sh\nsleep 600\n")
	for _, row := range []struct {
		name, repo, status string
		log                []string
	}{
		{"a server that wants a password", closed, wire.ExitStatusNeverRan, []string{"terminal prompts disabled", "cannot run the job"}},
		{"a repository", o.dir, "0", []string{"\nsecond\n"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, "git log --format=%s -1; git fsck")
			spec.Env[wire.EnvRepo], spec.Env[wire.EnvCommit], opts.checkoutPause = row.repo, wire.HeadCommit, time.Millisecond
			opts.Environ = append(os.Environ(), "GIT_ASKPASS="+hang, "SSH_ASKPASS="+hang, "DISPLAY=:0",
				"GIT_ALTERNATE_OBJECT_DIRECTORIES="+filepath.Join(o.dir, ".git", "objects"), "GIT_DEFAULT_HASH=sha256", "GIT_DIR=/no/such", "GIT_INDEX_FILE=/no/such")
			result, _ := Run(t.Context(), spec, cp, opts)
			if result.ExitStatus != row.status {
				t.Errorf("%+v", result)
			}
			checkLog(t, cp, "", row.log)
		})
	}
}

// TestCheckoutStalls has a server that takes requests and sends nothing.
func TestCheckoutStalls(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	silent := o.serve(t, func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return false
	})
	cp := &recorder{}
	spec, opts := jobFor(t, "echo never")
	spec.Env[wire.EnvRepo], spec.Env[wire.EnvCommit] = silent, o.first
	opts.checkoutPause, opts.checkoutStall = time.Millisecond, 200*time.Millisecond
	result, err := Run(t.Context(), spec, cp, opts)
	if result.ExitStatus != wire.ExitStatusNeverRan || result.SignalReason != wire.ReasonProcessRunError {
		t.Errorf("%+v", result)
	}
	checkPhases(t, err, []Phase{PhasePrepare})
	checkLog(t, cp, "", []string{"git fetch: no progress for 200ms; trying again in", "cannot run the job", "git fetch: no progress for 200ms"})
	checkEmpty(t, opts.BuildPath)
}

// TestCheckoutOfMore checks out a repository with a submodule, and one with a file of git
// LFS.
func TestCheckoutOfMore(t *testing.T) {
	t.Parallel()
	inner, outer := newOrigin(t), newOrigin(t)
	innerURL := inner.serve(t, nil)
	outer.git(t, "-C", outer.dir, "submodule", "--quiet", "add", strings.Replace(innerURL, "://", "://me:password-of-the-submodule@", 1), "inner")
	if err := os.WriteFile(filepath.Join(outer.dir, ".gitattributes"), []byte("*.bin filter=lfs\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outer.dir, "large.bin"), []byte("version https://git-lfs.github.com/spec/v1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	outer.git(t, "-C", outer.dir, "add", "--all")
	outer.git(t, "-C", outer.dir, "commit", "--quiet", "--message", "more")
	const pointers = "the files of git LFS are not checked out, only their pointers"
	for _, row := range []struct {
		name string
		env  map[string]string
		set  func(*Options)
		log  []string
		not  string
	}{
		{"all", nil, func(*Options) {}, []string{pointers, "\nsecond\n"}, "turned off"},
		{"without submodules, by the job", map[string]string{wire.EnvGitSubmodules: "false"}, func(*Options) {}, []string{"submodules are not checked out", pointers, "\nno file\n"}, ""},
		{"without submodules, by the operator", nil, func(o *Options) { o.NoSubmodules = true }, []string{"submodules are not checked out", "\nno file\n"}, ""},
		{"with git LFS set up", nil, func(o *Options) {
			o.Environ = append(os.Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=filter.lfs.smudge", "GIT_CONFIG_VALUE_0=cat")
		}, []string{"\nsecond\n"}, "pointers"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, "cat inner/file 2>/dev/null || echo no file")
			spec.Env[wire.EnvRepo], spec.Env[wire.EnvCommit], opts.checkoutPause = outer.dir, wire.HeadCommit, time.Millisecond
			maps.Copy(spec.Env, row.env)
			row.set(&opts)
			if result, err := Run(t.Context(), spec, cp, opts); err != nil || result.ExitStatus != "0" {
				t.Errorf("%+v, %v", result, err)
			}
			checkLog(t, cp, "", row.log)
			if log, _ := cp.log(); row.not != "" && strings.Contains(string(log), row.not) || strings.Contains(string(log), "password-of") {
				t.Errorf("the log must not have %q, or a password:\n%s", row.not, log)
			}
		})
	}
}
