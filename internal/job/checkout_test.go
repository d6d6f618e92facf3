//go:build unix

package job

import (
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
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

// checkOut runs a job with a repository, and checks the content of the file there, and that
// the log has the parts.
func checkOut(t *testing.T, source workspace.Source, content string, log []string) {
	t.Helper()
	cp := &recorder{}
	spec, opts := jobFor(t, "cat file; git status --short; ls .git/hooks 2>/dev/null || echo no hooks")
	opts.checkoutPause = time.Millisecond
	spec.Env[wire.EnvRepo], spec.Env[wire.EnvCommit], spec.Env[wire.EnvBranch] = source.Repository, source.Commit, source.Branch
	result, err := Run(t.Context(), spec, cp, opts)
	if err != nil || result.ExitStatus != "0" {
		t.Errorf("%+v, %v", result, err)
	}
	checkLog(t, cp, "", append(log, "\n"+content+"\nno hooks\n"))
	checkCalls(t, cp, result)
	checkEmpty(t, opts.BuildPath)
}

// TestCheckout checks out what the names of commits, branches and tags mean.
func TestCheckout(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	repository := o.serve(t, nil)
	for _, tt := range []struct {
		name, commit, branch string
		want                 string // the file's content
		log                  []string
	}{
		{"a commit by its whole name", o.first, "", "first", []string{"checking out " + o.first}},
		{"a commit by a part of its name", o.side[:10], "", "side", nil},
		{"a tag", "v1", "", "first", nil},
		{"a branch in a commit's place", "side", "", "side", nil},
		{"the newest of a branch", wire.HeadCommit, "side", "side", nil},
		{"the newest", wire.HeadCommit, "", "second", nil},
		{"a branch that has the name of a tag", wire.HeadCommit, "both", "side", []string{"checked out commit " + o.side + ", the tip of refs/heads/both"}},
		{"a tag that has the name of a branch", "both", "", "first", []string{"checked out commit " + o.first + ", the tip of refs/tags/both"}},
		{"a tag in a branch's place", wire.HeadCommit, "v1", "first", []string{"the tip of refs/tags/v1"}},
		{"an annotated tag", "annotated", "", "first", []string{"checked out commit " + o.first + ", the tip of refs/tags/annotated"}},
		{"a branch called tag", wire.HeadCommit, "tag", "side", nil},
		{"a branch that begins with a plus", wire.HeadCommit, "+plus", "side", nil},
		{"a branch that begins with a minus", wire.HeadCommit, "-minus", "side", nil},
		{"a branch with a quote", wire.HeadCommit, "a'b", "side", nil},
		{"a branch that looks like a hash", "beef", "", "side", []string{"the tip of refs/heads/beef"}},
		{"a branch that looks like a complete reference", wire.HeadCommit, "refs/pull/7/head", "side", nil},
		{"a complete reference", wire.HeadCommit, "refs/pull/8/head", "pull", []string{"the tip of refs/pull/8/head"}},
		{"a complete reference in a commit's place", "refs/pull/8/head", "", "pull", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkOut(t, workspace.Source{Repository: repository, Commit: tt.commit, Branch: tt.branch}, tt.want, tt.log)
		})
	}
}

// TestCheckoutFromServers checks out commits from servers of plain files, from a path, and from
// a server of the older protocol, of which nothing can be fetched but the tips of references.
func TestCheckoutFromServers(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	files := httptest.NewServer(http.FileServer(http.Dir(o.dir)))
	t.Cleanup(files.Close)
	tips := o.serve(t, func(_ http.ResponseWriter, r *http.Request) bool {
		r.Header.Del("Git-Protocol")
		return true
	})
	for _, tt := range []struct {
		name, repository, commit, branch string
		want                             string // the file's content
	}{
		{"from files", files.URL + "/.git", o.first, "", "first"},
		{"from a path", o.dir, o.side, "", "side"},
		{"the newest, from files", files.URL + "/.git", wire.HeadCommit, "", "second"},
		{"a commit that only a reference has", tips, o.base, "refs/pull/8/head", "base"},
		{"a part of its name", tips, o.base[:12], "refs/pull/8/head", "base"},
		{"a commit that is not a tip", tips, o.second, "", "second"},
		{"a branch that does not have the commit", tips, o.second, "v1", "second"},
		{"a branch that is not there, with a commit", tips, o.second, "nothing", "second"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			checkOut(t, workspace.Source{Repository: tt.repository, Commit: tt.commit, Branch: tt.branch}, tt.want, nil)
		})
	}
}

// TestCheckoutTriesAgain checks out a commit from a server that is not available at first, and
// a tag that is made meanwhile.
func TestCheckoutTriesAgain(t *testing.T) {
	t.Parallel()
	t.Run("a server that fails", func(t *testing.T) {
		t.Parallel()
		o := newOrigin(t)
		var failed atomic.Int32
		repository := o.serve(t, func(w http.ResponseWriter, r *http.Request) bool {
			if r.Method != http.MethodPost && failed.Add(1) <= 2 { // the first try requests twice: the commit, and all branches
				http.Error(w, "not now", http.StatusServiceUnavailable)
				return false
			}
			return true
		})
		checkOut(t, workspace.Source{Repository: repository, Commit: o.second}, "second", []string{"503", "trying again in", "HEAD is now at"})
	})
	t.Run("a tag that comes later", func(t *testing.T) {
		t.Parallel()
		o := newOrigin(t)
		var requests atomic.Int32
		repository := o.serve(t, func(_ http.ResponseWriter, r *http.Request) bool {
			if strings.HasSuffix(r.URL.Path, "/info/refs") && requests.Add(1) == 2 {
				o.git(t, "-C", o.dir, "tag", "late", o.second)
			}
			return true
		})
		checkOut(t, workspace.Source{Repository: repository, Commit: "late"}, "second", []string{"has no branch, tag or reference late; trying again in"})
	})
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
