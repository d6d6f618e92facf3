//go:build unix

package job

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// askForPassword refuses a request without a password.
func askForPassword(w http.ResponseWriter, _ *http.Request) bool {
	w.Header().Set("WWW-Authenticate", "Basic")
	http.Error(w, "who is it", http.StatusUnauthorized)
	return false
}

// TestCheckoutFails asks for what does not exist, and for values that git could
// parse as options.
func TestCheckoutFails(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	closed := o.serve(t, askForPassword)
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

// TestCheckoutAsksNobody has programs in the agent's environment that ask for a password
// and never end, and variables of a git that has started the agent.
func TestCheckoutAsksNobody(t *testing.T) {
	t.Parallel()
	o := newOrigin(t)
	closed := o.serve(t, askForPassword)
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
