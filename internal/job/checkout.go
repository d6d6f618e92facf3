package job

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"go.uber.org/zap"
)

const (
	repoName         = "BUILDKITE_REPO"
	commitName       = "BUILDKITE_COMMIT"
	branchName       = "BUILDKITE_BRANCH"
	skipCheckoutName = "BUILDKITE_SKIP_CHECKOUT"

	// head is the commit of whoever wants the newest one, and the branch of
	// whoever names none.
	head = "HEAD"

	checkoutTries = 3
	// checkoutPause is the first pause between two tries; each is about twice
	// the one before.
	checkoutPause = 2 * time.Second
	// gitPipeGrace is how long what git has started may hold its output open
	// when git itself has ended.
	gitPipeGrace = 5 * time.Second
)

// fullCommit is a commit by its whole name, which a server can be asked for.
var fullCommit = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)

// gitSettings keep git to the checkout alone: no hooks, no daemons, no upkeep
// that goes on behind it.
//
//nolint:gochecknoglobals // a table, never written
var gitSettings = []string{
	"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false",
	"-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false",
	"-c", "init.defaultBranch=main",
}

// source is what to check out.
type source struct{ repo, commit, branch string }

// sourceOf gives what a job wants to be checked out, and whether it wants that.
func sourceOf(spec Spec, opts Options) (source, bool) {
	s := source{spec.Env[repoName], spec.Env[commitName], spec.Env[branchName]}
	if s.branch == "" {
		s.branch = head
	}
	skip := spec.Env[skipCheckoutName]
	return s, opts.Executor == "" && s.repo != "" && s.commit != "" && (skip == "" || skip == no || skip == "0")
}

// check refuses what git could take for something else than a repository, a
// commit and a branch: they come from outside.
func (s source) check() error {
	for _, one := range []struct{ name, value, never string }{
		{repoName, s.repo, "\x00\n"},
		{commitName, s.commit, "\x00\n\t :?*[\\^~"},
		{branchName, s.branch, "\x00\n\t :?*[\\^~"},
	} {
		switch {
		case strings.HasPrefix(one.value, "-"), strings.HasPrefix(one.value, "+"):
			return fmt.Errorf("%s is %q: it must not begin with %q", one.name, one.value, one.value[:1])
		case strings.ContainsAny(one.value, one.never):
			return fmt.Errorf("%s is %q, which names none", one.name, one.value)
		}
	}
	return nil
}

// checkout is one checkout under way.
type checkout struct {
	source

	opts   Options
	git    string
	dir    string
	up     *uploader
	logger *zap.Logger
}

// checkOut fetches what the job names into its fresh working directory and
// checks it out there, with the system's git and with what the user of the
// agent can read. It gives the cause if ctx ends meanwhile.
func checkOut(ctx context.Context, s source, opts Options, dir string, up *uploader) error {
	if err := s.check(); err != nil {
		return err
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return fmt.Errorf("checking out a repository needs git: %w", err)
	}
	c := &checkout{source: s, opts: opts, git: git, dir: dir, up: up, logger: opts.Logger}
	up.linef("checking out %s of %s", s.commit, withoutPassword(s.repo))
	if err := c.run(ctx, "init", "--quiet", "--template="); err != nil {
		return err
	}
	if err := c.run(ctx, "remote", "add", "--", "origin", s.repo); err != nil {
		return err
	}
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.Multiplier = opts.checkoutPause, 2
	_, err = backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, c.fetchAndCheckOut(ctx) },
		backoff.WithBackOff(pause), backoff.WithMaxTries(checkoutTries), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, wait time.Duration) {
			up.linef("%v; trying again in %v", err, wait.Round(time.Millisecond))
		}))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%s of %s cannot be checked out: %w", s.commit, withoutPassword(s.repo), err)
	}
	return nil
}

// fetchAndCheckOut is one try. A commit by its whole name is asked for as such;
// a server that does not give single commits, and one that is asked for less
// than a whole name, is asked for all that it has.
func (c *checkout) fetchAndCheckOut(ctx context.Context) error {
	target := "FETCH_HEAD"
	switch {
	case c.commit == head:
		if err := c.run(ctx, "fetch", "--", "origin", c.branch); err != nil {
			return err
		}
	case fullCommit.MatchString(c.commit) && c.run(ctx, "fetch", "--", "origin", c.commit) == nil:
		target = c.commit
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		if err := c.run(ctx, "fetch", "--tags", "--", "origin", "+refs/heads/*:refs/remotes/origin/*"); err != nil {
			return err
		}
		var found bool
		if target, found = c.resolve(ctx); !found {
			// Not found here is not found at all, and so is no reason to try
			// again.
			err := fmt.Errorf("the repository has no commit %s on a branch or a tag", c.commit)
			return backoff.Permanent(err) //nolint:wrapcheck // it wraps ours
		}
	}
	return c.run(ctx, "checkout", "--force", "--detach", target)
}

// resolve finds the commit among all that was fetched: by its name, by a tag,
// or as the end of a branch.
func (c *checkout) resolve(ctx context.Context) (string, bool) {
	for _, name := range []string{c.commit, "refs/remotes/origin/" + c.commit} {
		if c.run(ctx, "rev-parse", "--quiet", "--verify", name+"^{commit}") == nil {
			return name, true
		}
	}
	return "", false
}

// run runs git to its end, with its output in the job's log. When ctx ends, so
// does git, as a job's command would.
func (c *checkout) run(ctx context.Context, args ...string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	out, err := newOutput()
	if err != nil {
		return err
	}
	argv := append(append([]string{c.git}, gitSettings...), args...)
	cmd, err := startCommand(c.opts, task{what: "git", argv: argv, env: gitEnviron(c.opts.Environ), dir: c.dir}, out.write)
	if err != nil {
		out.discard()
		return err
	}
	out.copyTo(c.up.front)
	end := supervise(ctx, cmd, c.opts.CancelGrace, c.opts.KillWait)
	out.settle(time.Now().Add(gitPipeGrace), func() { cmd.endGroup(c.logger) })
	if !end.gone {
		cmd.leave()
		return fmt.Errorf("git did not end within %v of SIGKILL", c.opts.KillWait)
	}
	status, signal, err := cmd.exit()
	switch {
	case end.cause != nil:
		return end.cause
	case err != nil:
		return err
	case signal != "":
		return fmt.Errorf("git %s was ended by %s", args[0], signal)
	case status != "0":
		return fmt.Errorf("git %s failed with exit status %s", args[0], status)
	}
	return nil
}

// gitEnviron is git's environment: that of the agent, since it is the user's
// own settings and credentials that git is to find; not the agent's settings
// and tokens, nor what would point git at another repository. Git asks nobody
// anything.
func gitEnviron(agent []string) []string {
	env := make([]string, 0, len(agent)+1)
	for _, pair := range agent {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_COMMON_DIR", "PWD":
			continue
		}
		if !strings.HasPrefix(name, "SWITCHYARD_") && !strings.HasPrefix(name, "BUILDKITE_") {
			env = append(env, pair)
		}
	}
	return append(env, "GIT_TERMINAL_PROMPT=0")
}

// withoutPassword is a repository's address for the log.
func withoutPassword(repo string) string {
	scheme, rest, ok := strings.Cut(repo, "://")
	if !ok {
		return repo
	}
	authority, path, slash := strings.Cut(rest, "/")
	if _, host, has := strings.Cut(authority, "@"); has {
		authority = host
	}
	if slash {
		authority += "/"
	}
	return scheme + "://" + authority + path
}
