package job

import (
	"context"
	"os"
	"path/filepath"
	"slices"

	"go.uber.org/zap"
)

// workspace makes the job's working directory, and notes it in the agent's
// claim.
func (r *run) workspace() (string, error) {
	dir, err := makeWorkspace(r.opts.BuildPath, r.spec.ID)
	if err != nil {
		return "", err
	}
	if err := r.opts.Claim.note(filepath.Base(dir)); err != nil {
		// Only a crash of the agent would make this matter.
		r.logger.Warn("if this agent is killed, the next one will not know of this job's working directory", zap.Error(err))
	}
	return dir, nil
}

// prepare checks out what the job wants to be checked out, and gives what is to
// be run: the job's command in the shell, or the executor.
func (r *run) prepare(ctx context.Context, workspace string, up *uploader) (task, error) {
	script, env, err := environment(r.spec, r.opts, workspace)
	if err != nil {
		return task{}, err
	}
	t := task{what: "the shell", argv: slices.Concat(r.opts.Shell, []string{script}), env: env, dir: workspace, terminal: r.opts.Pty}
	if r.opts.Executor != "" {
		var variables map[string]string
		if r.files, variables, err = executorFiles(r.opts.BuildPath, r.spec.Env); err != nil {
			return task{}, err
		}
		t.what, t.argv = "the executor", []string{r.opts.Executor}
		for name, value := range variables {
			t.env = append(t.env, name+"="+value) // the last one counts
		}
	}
	if s, wanted := sourceOf(r.spec, r.opts); wanted {
		return t, checkOut(ctx, s, r.opts, workspace, up)
	}
	return t, nil
}

// discard removes the working directory, unless it is to be kept, and what the
// executor was given. The result has been delivered by then, so only the
// agent's log can hear of it.
func (r *run) discard(workspace string) {
	if r.files != "" {
		if err := os.RemoveAll(r.files); err != nil {
			r.logger.Warn("the executor's files stay behind; remove them by hand", zap.Error(err))
		}
	}
	if workspace == "" {
		return
	}
	defer r.opts.Claim.forget(filepath.Base(workspace))
	if !r.opts.Cleanup.removes(r.result) {
		r.logger.Info("the job's working directory is kept", zap.String("directory", workspace))
		return
	}
	if err := removeWorkspace(workspace); err != nil {
		r.logger.Warn("the job's working directory stays behind; remove it by hand", zap.Error(err))
	}
}
