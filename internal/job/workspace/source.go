package workspace

import (
	"fmt"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// Source is what to check out.
type Source struct {
	Repository string
	// Commit is a commit hash, an abbreviated one, a tag, a branch, a complete reference
	// such as refs/pull/7/head, or "HEAD" for the tip of Branch.
	Commit string
	// Branch is a branch, a tag or a complete reference; "HEAD" is the repository's
	// default branch. It counts if Commit is "HEAD", and where the server does not send
	// a commit that is named by its hash.
	Branch string
	// NoSubmodules leaves the folders of submodules empty.
	NoSubmodules bool
}

// SourceOf returns what a job's environment asks to check out, and reports whether
// it asks for a checkout.
func SourceOf(env map[string]string) (Source, bool) {
	s := Source{
		Repository: env[wire.EnvRepo], Commit: env[wire.EnvCommit], Branch: env[wire.EnvBranch],
		NoSubmodules: isFalse(env[wire.EnvGitSubmodules]),
	}
	if s.Branch == "" {
		s.Branch = wire.HeadCommit
	}
	skip := env[wire.EnvSkipCheckout]
	return s, s.Repository != "" && s.Commit != "" && (skip == "" || isFalse(skip))
}

func isFalse(value string) bool { return value == "false" || value == "0" }

// check refuses values that git could read as an option, or that no repository can
// have. They come from the control plane. Its errors do not show the repository.
func (s Source) check() error {
	if err := wire.CheckRepository(s.Repository); err != nil {
		return fmt.Errorf("%s %w", wire.EnvRepo, err)
	}
	for _, one := range []struct{ name, value string }{{wire.EnvCommit, s.Commit}, {wire.EnvBranch, s.Branch}} {
		if err := wire.CheckRef(one.value); err != nil {
			return fmt.Errorf("%s is %q: %w", one.name, one.value, err)
		}
	}
	return nil
}
