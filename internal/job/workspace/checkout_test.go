package workspace

import (
	"slices"
	"testing"
)

func TestGitEnviron(t *testing.T) {
	t.Parallel()
	got := gitEnviron([]string{
		"PATH=/bin", "HOME=/home/a", "SSH_AUTH_SOCK=/run/s", "SWITCHYARD_AGENT_TOKEN=1", "BUILDKITE_AGENT_TOKEN=2",
		"GIT_DIR=/x", "GIT_SSH_COMMAND=ssh -v", "GIT_TERMINAL_PROMPT=1", "PWD=/",
	})
	want := []string{"PATH=/bin", "HOME=/home/a", "SSH_AUTH_SOCK=/run/s", "GIT_SSH_COMMAND=ssh -v", "GIT_TERMINAL_PROMPT=1", "GIT_TERMINAL_PROMPT=0"}
	if !slices.Equal(got, want) { // of two with one name, the last counts
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWithoutPassword(t *testing.T) {
	t.Parallel()
	for repo, want := range map[string]string{
		"https://a:b@host/x@y": "https://host/x@y", "https://a:b@c@host/x": "https://host/x", "https://token@host": "https://host", "git@host:x": "git@host:x",
		"/path": "/path", "ssh://git@host:22/x": "ssh://host:22/x", "http://host/": "http://host/",
	} {
		if got := withoutPassword(repo); got != want {
			t.Errorf("%s is shown as %s, want %s", repo, got, want)
		}
	}
}
