package job

import (
	"context"
	"os"
	"slices"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/job/workspace"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// prepare creates the working directory, checks out what the job asks for, and
// returns the command to run: the job's script in the shell, or the executor.
func (r *run) prepare(ctx context.Context) (process.Command, error) {
	if err := r.makeDir(); err != nil {
		return process.Command{}, err
	}
	socket := ""
	if r.link != nil {
		socket = r.link.Address()
	}
	env, err := environment(r.spec, r.opts, r.dir, socket)
	if err != nil {
		return process.Command{}, err
	}
	c := process.Command{
		Name: "the shell", Argv: slices.Concat(r.opts.Shell, []string{r.spec.Env[wire.EnvCommand]}),
		Env: env, Dir: r.dir, Terminal: r.opts.PTY,
	}
	if r.opts.Executor != "" {
		var variables map[string]string
		if r.filesDir, variables, err = writeExecutorFiles(r.opts.Claim.FilesDir(r.opts.BuildPath), r.spec.Env); err != nil {
			return process.Command{}, err
		}
		c.Name, c.Argv = "the executor", []string{r.opts.Executor}
		for name, value := range variables {
			c.Env = append(c.Env, name+"="+value) // of two with one name, the last counts
		}
		return c, nil
	}
	if source, ok := workspace.SourceOf(r.spec.Env); ok {
		source.NoSubmodules = source.NoSubmodules || r.opts.NoSubmodules
		opts := workspace.CheckoutOptions{
			Process: r.processOptions(), Environ: r.opts.Environ, RetryPause: r.opts.checkoutPause, StallLimit: r.opts.checkoutStall,
		}
		return c, workspace.Checkout(ctx, source, r.dir, opts, r.log) //nolint:wrapcheck // the error is complete
	}
	return c, nil
}

// processOptions returns the options for every process of the job.
func (r *run) processOptions() process.Options {
	o := &r.opts
	return process.Options{
		Claim: o.Claim.ID(), Reaper: o.Reaper, Cgroups: o.Cgroups, Limits: r.limits,
		CancelSignal: o.CancelSignal, CancelGrace: o.CancelGrace, KillWait: o.KillWait, Logger: r.logger,
	}
}

// makeDir creates the working directory.
func (r *run) makeDir() error {
	return r.opts.Cleaner.withRoom(func() (err error) {
		r.dir, err = workspace.Make(r.opts.BuildPath, r.spec.ID, r.opts.Claim)
		return err //nolint:wrapcheck // the error is complete
	})
}

// cleanUp removes what the job leaves: the files of the executor, the control group of the
// command, and the working directory unless the policy keeps it. The result was delivered
// before, so errors are only logged.
func (r *run) cleanUp() {
	remove := r.dir != "" && r.opts.Cleanup.Removes(r.result.succeeded())
	if r.dir != "" && !remove {
		r.logger.Info("keeping the job's working directory", zap.String("directory", r.dir))
		if err := r.opts.Claim.Keep(r.dir); err != nil {
			r.logger.Warn("could not record the working directory; if this agent is killed, the next one may remove it", zap.Error(err))
		}
	}
	r.opts.Cleaner.remove(func() {
		running := false
		if r.command != nil {
			running = r.command.Left()
			r.command.Release()
		}
		if r.filesDir != "" {
			if err := os.RemoveAll(r.filesDir); err != nil {
				r.logger.Warn("could not remove the executor's files; remove them by hand", zap.Error(err))
			}
		}
		if !remove {
			return
		}
		if err := r.opts.Claim.Remove(r.dir, running); err != nil {
			r.logger.Warn("could not remove the job's working directory; remove it by hand", zap.Error(err))
		}
	})
}
