package workspace

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
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
	// DefaultStallLimit is how long git may run without any sign of progress.
	DefaultStallLimit = 5 * time.Minute
)

// Log is the log of a job.
type Log interface {
	io.Writer
	// Notef adds a line of the agent's own.
	Notef(format string, args ...any)
	// AddSecrets hides secrets in what is written from now on.
	AddSecrets(secrets ...string) error
}

// CheckoutOptions are the settings of Checkout.
type CheckoutOptions struct {
	Process    process.Options
	Environ    []string      // the agent's environment, with the user's git settings and credentials
	RetryPause time.Duration // after the first failed try
	StallLimit time.Duration // without a sign of progress
}

// Checkout fetches a source into the directory dir and checks it out, with the git
// program and the credentials of the agent's user. It tries several times, each time in
// an empty directory. When ctx ends, it cancels git as it would a job's command and
// returns the cause. The user and the password in the URL are hidden in the log.
func Checkout(ctx context.Context, s Source, dir string, opts CheckoutOptions, log Log) error {
	if err := log.AddSecrets(wire.RepositorySecrets(s.Repository)...); err != nil {
		return fmt.Errorf("hiding the password of the repository: %w", err)
	}
	if err := s.check(); err != nil {
		return err
	}
	path, err := exec.LookPath("git")
	if err != nil {
		return fmt.Errorf("checking out a repository needs git: %w", err)
	}
	g := &git{path: path, dir: dir, env: gitEnviron(opts.Environ), opts: opts.Process, stallLimit: opts.StallLimit, log: log}
	log.Notef("checking out %s of %s", s.Commit, wire.HideURLSecrets(s.Repository))
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval, pause.Multiplier = opts.RetryPause, 2
	_, err = backoff.Retry(ctx, func() (struct{}, error) { return struct{}{}, s.try(ctx, g) },
		backoff.WithBackOff(pause), backoff.WithMaxTries(checkoutTries), backoff.WithMaxElapsedTime(0),
		backoff.WithNotify(func(err error, wait time.Duration) {
			log.Notef("%v; trying again in %v", err, wait.Round(time.Millisecond))
		}))
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case err != nil:
		return fmt.Errorf("%s of %s cannot be checked out: %w", s.Commit, wire.HideURLSecrets(s.Repository), err)
	}
	return nil
}

// try is one try, from an empty directory on: a try that failed, or whose git was
// killed, may have left anything.
func (s Source) try(ctx context.Context, g *git) error {
	if err := empty(g.dir); err != nil {
		return err
	}
	if err := g.run(ctx, "init", "--quiet", "--template="); err != nil {
		return err
	}
	if err := g.run(ctx, "remote", "add", "--", "origin", s.Repository); err != nil {
		return err
	}
	found, err := s.fetch(ctx, g)
	if err != nil {
		return err
	}
	if err := g.run(ctx, "checkout", "--progress", "--force", "--detach", found.commit); err != nil {
		return err
	}
	g.log.Notef("checked out commit %s%s", found.commit, found.of())
	if err := s.submodules(ctx, g); err != nil {
		return err
	}
	return noteLFS(ctx, g)
}

// empty removes everything in a directory.
func empty(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("emptying the working directory: %w", err)
	}
	var errs []error
	for _, entry := range entries {
		errs = append(errs, Remove(filepath.Join(dir, entry.Name())))
	}
	return errors.Join(errs...)
}
