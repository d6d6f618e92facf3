package workspace

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

const (
	checkoutTries = 3
	// DefaultRetryPause is the wait after the first failed try; it about doubles
	// with each further one.
	DefaultRetryPause = 2 * time.Second
)

// fullHash matches a complete commit hash, which can be fetched by itself.
var fullHash = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// Source is what to check out.
type Source struct {
	Repository string
	// Commit is a commit hash, an abbreviated one, a tag, a branch, or "HEAD" for
	// the tip of Branch.
	Commit string
	// Branch is used if Commit is "HEAD"; "HEAD" is the repository's default branch.
	Branch string
}

// SourceOf returns what a job's environment asks to check out, and reports whether
// it asks for a checkout.
func SourceOf(env map[string]string) (Source, bool) {
	s := Source{env[wire.EnvRepo], env[wire.EnvCommit], env[wire.EnvBranch]}
	if s.Branch == "" {
		s.Branch = wire.HeadCommit
	}
	skip := env[wire.EnvSkipCheckout]
	return s, s.Repository != "" && s.Commit != "" && (skip == "" || skip == "false" || skip == "0")
}

// check refuses values that git could take for an option or a refspec. They come
// from the control plane.
func (s Source) check() error {
	for _, one := range []struct{ name, value, forbidden string }{
		{wire.EnvRepo, s.Repository, "\x00\n"},
		{wire.EnvCommit, s.Commit, "\x00\n\t :?*[\\^~"},
		{wire.EnvBranch, s.Branch, "\x00\n\t :?*[\\^~"},
	} {
		switch {
		case strings.HasPrefix(one.value, "-"), strings.HasPrefix(one.value, "+"):
			return fmt.Errorf("%s is %q: must not begin with %q", one.name, one.value, one.value[:1])
		case strings.ContainsAny(one.value, one.forbidden):
			return fmt.Errorf("%s is %q: contains a character that is not allowed", one.name, one.value)
		}
	}
	return nil
}

// Log is the log of a job.
type Log interface {
	io.Writer
	// Notef adds a line of the agent's own.
	Notef(format string, args ...any)
}

// CheckoutOptions are the settings of Checkout.
type CheckoutOptions struct {
	Process    process.Options
	Environ    []string      // the agent's environment, with the user's git settings and credentials
	RetryPause time.Duration // after the first failed try
}

// Checkout fetches a source into the empty directory dir and checks it out, with
// the git program and the credentials of the agent's user. It tries several times.
// When ctx ends, it cancels git as it would a job's command and returns the cause.
func Checkout(ctx context.Context, s Source, dir string, opts CheckoutOptions, log Log) error {
	if err := s.check(); err != nil {
		return err
	}
	path, err := exec.LookPath("git")
	if err != nil {
		return fmt.Errorf("checking out a repository needs git: %w", err)
	}
	g := &git{path: path, dir: dir, env: gitEnviron(opts.Environ), opts: opts.Process, log: log}
	log.Notef("checking out %s of %s", s.Commit, withoutPassword(s.Repository))
	if err := g.run(ctx, "init", "--quiet", "--template="); err != nil {
		return err
	}
	if err := g.run(ctx, "remote", "add", "--", "origin", s.Repository); err != nil {
		return err
	}
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.Multiplier = opts.RetryPause, 2
	_, err = backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, s.fetch(ctx, g) },
		backoff.WithBackOff(pause), backoff.WithMaxTries(checkoutTries), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, wait time.Duration) {
			log.Notef("%v; trying again in %v", err, wait.Round(time.Millisecond))
		}))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%s of %s cannot be checked out: %w", s.Commit, withoutPassword(s.Repository), err)
	}
	return nil
}

// fetch is one try to fetch and check out. A complete commit hash is fetched by
// itself. If the server does not allow that, or the hash is not complete, all
// branches and tags are fetched.
func (s Source) fetch(ctx context.Context, g *git) error {
	target := "FETCH_HEAD"
	switch {
	case s.Commit == wire.HeadCommit:
		if err := g.run(ctx, "fetch", "--", "origin", s.Branch); err != nil {
			return err
		}
	case fullHash.MatchString(s.Commit) && g.run(ctx, "fetch", "--", "origin", s.Commit) == nil:
		target = s.Commit
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		if err := g.run(ctx, "fetch", "--tags", "--", "origin", "+refs/heads/*:refs/remotes/origin/*"); err != nil {
			return err
		}
		var found bool
		if target, found = s.resolve(ctx, g); !found {
			// All was fetched, so another try finds no more.
			err := fmt.Errorf("the repository has no commit %s on a branch or a tag", s.Commit)
			return backoff.Permanent(err) //nolint:wrapcheck // it wraps ours
		}
	}
	return g.run(ctx, "checkout", "--force", "--detach", target)
}

// resolve finds the commit in all that was fetched: by its hash, by a tag, or as
// the tip of a branch.
func (s Source) resolve(ctx context.Context, g *git) (string, bool) {
	for _, name := range []string{s.Commit, "refs/remotes/origin/" + s.Commit} {
		if g.run(ctx, "rev-parse", "--quiet", "--verify", name+"^{commit}") == nil {
			return name, true
		}
	}
	return "", false
}

// userInfo matches the user and the password in a URL, and what precedes them.
var userInfo = regexp.MustCompile(`^([^/]*://)[^/]*@`)

// withoutPassword returns the URL of a repository without user and password.
func withoutPassword(repository string) string { return userInfo.ReplaceAllString(repository, "$1") }
