package main

import (
	"cmp"
	"strings"

	"github.com/urfave/cli/v3"
)

// head is the commit of whoever wants the newest one.
const head = "HEAD"

// addSource puts into a job's environment what is to be checked out for it, by
// the names that agents know.
func addSource(cmd *cli.Command, env map[string]string) error {
	repo, commit, branch := cmd.String(flagRepo), cmd.String(flagCommit), cmd.String(flagBranch)
	if repo == "" {
		if commit != "" || branch != "" {
			return usage(cmd, "--%s and --%s need --%s", flagCommit, flagBranch, flagRepo)
		}
		return nil
	}
	for flag, value := range map[string]string{flagRepo: repo, flagCommit: commit, flagBranch: branch} {
		if strings.HasPrefix(value, "-") {
			return usage(cmd, "--%s is %q: git would take it for an option", flag, value)
		}
	}
	env["BUILDKITE_REPO"] = repo
	env["BUILDKITE_COMMIT"] = cmp.Or(commit, head)
	env["BUILDKITE_BRANCH"] = cmp.Or(branch, head)
	return nil
}
