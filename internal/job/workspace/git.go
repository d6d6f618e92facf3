package workspace

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/switchyard-ci/switchyard/internal/job/process"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// outputGrace is how long processes that git has started may hold its output open
// after git has ended.
const outputGrace = 5 * time.Second

// gitSettings restrict git to the checkout: no hooks, no daemons, no maintenance in
// the background.
//
//nolint:gochecknoglobals // a table, never written
var gitSettings = []string{
	"-c", "core.hooksPath=" + os.DevNull, "-c", "core.fsmonitor=false",
	"-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false",
	"-c", "init.defaultBranch=main",
}

// git runs the git program in one directory.
type git struct {
	path, dir string
	env       []string
	opts      process.Options
	log       Log
}

// run runs git to its end, with its output in the job's log. When ctx ends, it
// cancels git and returns the cause.
func (g *git) run(ctx context.Context, args ...string) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	p, err := process.Start(process.Command{
		Name: "git", Argv: slices.Concat([]string{g.path}, gitSettings, args), Env: g.env, Dir: g.dir,
	}, g.opts, g.log)
	if err != nil {
		return err //nolint:wrapcheck // it names git
	}
	end := p.Wait(ctx)
	exit, err := p.Collect(time.Now().Add(outputGrace))
	switch {
	case !end.Exited:
		return fmt.Errorf("git did not end within %v of SIGKILL", g.opts.KillWait)
	case end.Cause != nil:
		return end.Cause
	case err != nil:
		return err //nolint:wrapcheck // it names the process
	case exit.Signal != "":
		return fmt.Errorf("git %s was ended by %s", args[0], exit.Signal)
	case exit.Code != 0:
		return fmt.Errorf("git %s failed with exit status %d", args[0], exit.Code)
	}
	return nil
}

// gitEnviron returns the environment of git: the agent's, because git uses the
// settings and credentials of the user, but without the agent's own settings and
// tokens, and without variables that select another repository. Git must not
// prompt.
func gitEnviron(agent []string) []string {
	env := make([]string, 0, len(agent)+1)
	for _, pair := range agent {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case "GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_COMMON_DIR", "PWD":
			continue
		}
		if !strings.HasPrefix(name, wire.EnvSwitchyardPrefix) && !strings.HasPrefix(name, wire.EnvPrefix) {
			env = append(env, pair)
		}
	}
	return append(env, "GIT_TERMINAL_PROMPT=0")
}
