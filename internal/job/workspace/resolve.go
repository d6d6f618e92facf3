package workspace

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

var (
	// fullHash matches a complete commit hash, which can be fetched by itself, and
	// shortHash one that may be abbreviated.
	fullHash  = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
	shortHash = regexp.MustCompile(`^[0-9a-f]{4,64}$`)
	// hashLine matches a line of git that is a hash, and refLine one that is a hash and a
	// reference.
	hashLine = regexp.MustCompile(`(?m)^([0-9a-f]{40}|[0-9a-f]{64})$`)
	refLine  = regexp.MustCompile(`(?m)^[0-9a-f]{40,64}\t(\S+)$`)
)

// The folders of branches and tags.
const (
	headsPrefix = "refs/heads/"
	tagsPrefix  = "refs/tags/"
	refsPrefix  = "refs/"
)

// found is a commit that was fetched.
type found struct {
	commit string // its complete hash
	ref    string // the reference whose tip it is; empty where it was asked for by its hash
}

// of returns the end of a sentence about the commit.
func (f found) of() string {
	if f.ref == "" {
		return ""
	}
	return ", the tip of " + f.ref
}

// fetch fetches the commit. Names are resolved by complete references: what git guesses
// of a short name depends on which others there are, on both sides.
func (s Source) fetch(ctx context.Context, g *git) (found, error) {
	switch {
	case s.Commit == wire.HeadCommit:
		return s.fetchRef(ctx, g, s.Branch, headsPrefix, tagsPrefix)
	case fullHash.MatchString(s.Commit):
		return s.fetchHash(ctx, g)
	}
	tip, err := s.fetchRef(ctx, g, s.Commit, tagsPrefix, headsPrefix)
	if err == nil || ctx.Err() != nil || !shortHash.MatchString(s.Commit) {
		return tip, err
	}
	return s.fetchAll(ctx, g)
}

// fetchRef fetches the reference with that name: in one of the folders, which are tried
// in order, or, if the name begins with refs/, with exactly that name.
func (s Source) fetchRef(ctx context.Context, g *git, name string, folders ...string) (found, error) {
	ref := wire.HeadCommit
	if name != wire.HeadCommit {
		var candidates []string
		for _, folder := range folders {
			candidates = append(candidates, folder+name)
		}
		if strings.HasPrefix(name, refsPrefix) {
			candidates = append(candidates, name)
		}
		there, err := g.read(ctx, slices.Concat([]string{"ls-remote", "--quiet", "--", "origin"}, candidates)...)
		if err != nil {
			return found{}, err
		}
		var names []string
		for _, line := range refLine.FindAllStringSubmatch(there, -1) {
			names = append(names, line[1])
		}
		first := slices.IndexFunc(candidates, func(one string) bool { return slices.Contains(names, one) })
		if first < 0 {
			return found{}, fmt.Errorf("the repository has no branch, tag or reference %s", name)
		}
		ref = candidates[first]
	}
	if err := g.run(ctx, "fetch", "--progress", "--", "origin", ref); err != nil {
		return found{}, err
	}
	commit, err := g.commit(ctx, "FETCH_HEAD")
	return found{commit: commit, ref: ref}, err
}

// fetchHash fetches a commit by its complete hash. A server that does not send it so may
// send it as a part of the reference that the job names, or of all branches and tags.
func (s Source) fetchHash(ctx context.Context, g *git) (found, error) {
	if err := g.run(ctx, "fetch", "--progress", "--", "origin", s.Commit); err == nil || ctx.Err() != nil {
		return found{commit: s.Commit}, err
	}
	return s.fetchAll(ctx, g)
}

// fetchAll fetches the reference that the job names, and then all branches and tags,
// until one of them has the commit, whose hash may be abbreviated.
func (s Source) fetchAll(ctx context.Context, g *git) (found, error) {
	if s.Branch != wire.HeadCommit {
		if _, err := s.fetchRef(ctx, g, s.Branch, headsPrefix, tagsPrefix); err == nil {
			if commit, err := g.commit(ctx, s.Commit); err == nil {
				return found{commit: commit}, nil
			}
		}
	}
	if ctx.Err() != nil {
		return found{}, context.Cause(ctx)
	}
	if err := g.run(ctx, "fetch", "--progress", "--tags", "--", "origin", "+"+headsPrefix+"*:refs/remotes/origin/*"); err != nil {
		return found{}, err
	}
	commit, err := g.commit(ctx, s.Commit)
	if err != nil && ctx.Err() == nil {
		return found{}, fmt.Errorf("the repository has no commit %s on a branch or a tag", s.Commit)
	}
	return found{commit: commit}, err
}

// commit returns the complete hash of a commit that was fetched.
func (g *git) commit(ctx context.Context, name string) (string, error) {
	text, err := g.ask(ctx, "rev-parse", "--quiet", "--verify", "--end-of-options", name+"^{commit}")
	if err != nil {
		return "", err
	}
	hash := hashLine.FindString(text)
	if hash == "" {
		return "", fmt.Errorf("git rev-parse returned no hash for %s", name)
	}
	return hash, nil
}
