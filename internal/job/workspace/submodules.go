package workspace

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// gitmodules is the file of a repository that names its submodules.
const gitmodules = ".gitmodules"

// submodules fetches and checks out the submodules of what was checked out, with their
// own.
func (s Source) submodules(ctx context.Context, g *git) error {
	_, err := os.Lstat(filepath.Join(g.dir, gitmodules))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("looking for submodules: %w", err)
	case s.NoSubmodules:
		g.log.Notef("submodules are not checked out: that is turned off")
		return nil
	}
	urls, err := g.read(ctx, "config", "--file", gitmodules, "--get-regexp", `\.url$`)
	if err != nil {
		return err
	}
	for line := range strings.Lines(urls) {
		_, url, _ := strings.Cut(strings.TrimSpace(line), " ")
		if err := g.log.AddSecrets(wire.RepositorySecrets(url)...); err != nil {
			return fmt.Errorf("hiding the password of a submodule: %w", err)
		}
	}
	return g.run(ctx, "submodule", "update", "--init", "--recursive", "--force", "--progress")
}

// noteLFS adds a line to the log if files of what was checked out are pointers of git
// LFS, because the program for them is not set up on this machine.
func noteLFS(ctx context.Context, g *git) error {
	if _, err := g.ask(ctx, "config", "--get-regexp", `^filter\.lfs\.(process|smudge)$`); err == nil || ctx.Err() != nil {
		return context.Cause(ctx)
	}
	pointers, err := g.read(ctx, "ls-files", "--", ":(attr:filter=lfs)")
	if err != nil {
		return err
	}
	if pointers != "" {
		g.log.Notef("the files of git LFS are not checked out, only their pointers: " +
			"git-lfs is not set up for the user of this agent (git lfs install)")
	}
	return nil
}
