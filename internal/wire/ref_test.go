package wire

import (
	"os/exec"
	"strings"
	"testing"
)

func TestCheckRepository(t *testing.T) {
	t.Parallel()
	for repository, valid := range map[string]bool{
		"https://host/a.git": true, "git@host:a b.git": true, "/srv/é.git": true, "./-a": true,
		"-a": false, "--upload-pack=x": false, "https://host/a\n": false, "https://me:pass\tword@host/": false, "a\x7f": false,
	} {
		err := CheckRepository(repository)
		if (err == nil) != valid || err != nil && strings.Contains(err.Error(), "pass") {
			t.Errorf("%q: %v, valid: want %t", repository, err, valid)
		}
	}
}

// TestCheckRef compares CheckRef with git's own check, where there is git.
func TestCheckRef(t *testing.T) {
	t.Parallel()
	git, _ := exec.LookPath("git")
	for name, valid := range map[string]bool{
		"main": true, "tag": true, "+plus": true, "-minus": true, "feature/x": true, "refs/pull/7/head": true, "HEAD": true, "é": true, "a@b": true,
		"v1.0": true, "a.lock.b": true, "{}": true, "a'b\"c": true, "$(id)": true, "--upload-pack=x": true,
		"": false, "@": false, "a b": false, "a\tb": false, "a\nb": false, "a\x7fb": false, "a~1": false, "a^": false, "a:b": false, "a?": false,
		"a*": false, "a[b": false, `a\b`: false, "a..b": false, "a@{1}": false, "/a": false, "a/": false, "a//b": false, ".a": false,
		"a/.b": false, "a.": false, "a.lock": false, "a.lock/b": false,
	} {
		if got := CheckRef(name); (got == nil) != valid {
			t.Errorf("%q: %v, valid: want %t", name, got, valid)
		}
		if git == "" || name == "@" || name == "" { // git allows refs/heads/@, which no command can name
			continue
		}
		if err := exec.CommandContext(t.Context(), git, "check-ref-format", "refs/heads/"+name).Run(); (err == nil) != valid { //nolint:gosec // the test's own words
			t.Errorf("git check-ref-format %q: %v, valid: want %t", name, err, valid)
		}
	}
}
