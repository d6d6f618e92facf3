package workspace

import (
	"bytes"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestSourceOf reads from the variables of a job what to check out, and whether.
func TestSourceOf(t *testing.T) {
	t.Parallel()
	asked := Source{Repository: "r", Commit: "c", Branch: "b"}
	for _, tt := range []struct {
		name    string
		changed map[string]string // of the variables for asked; empty removes one
		want    Source
		ok      bool
	}{
		{"all", nil, asked, true},
		{"no branch", map[string]string{wire.EnvBranch: ""}, Source{Repository: "r", Commit: "c", Branch: wire.HeadCommit}, true},
		{"no repository", map[string]string{wire.EnvRepo: ""}, Source{Commit: "c", Branch: "b"}, false},
		{"no commit", map[string]string{wire.EnvCommit: ""}, Source{Repository: "r", Branch: "b"}, false},
		{"skipped", map[string]string{wire.EnvSkipCheckout: "true"}, asked, false},
		{"not skipped", map[string]string{wire.EnvSkipCheckout: "false"}, asked, true},
		{"not skipped, as a number", map[string]string{wire.EnvSkipCheckout: "0"}, asked, true},
		{
			"without submodules",
			map[string]string{wire.EnvGitSubmodules: "false"},
			Source{Repository: "r", Commit: "c", Branch: "b", NoSubmodules: true},
			true,
		},
	} {
		env := map[string]string{wire.EnvRepo: "r", wire.EnvCommit: "c", wire.EnvBranch: "b"}
		maps.Copy(env, tt.changed)
		if got, ok := SourceOf(env); ok != tt.ok || got != tt.want {
			t.Errorf("%s: %+v, %t; want %+v, %t", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

// TestGitEnviron lists variables of the agent's environment that git gets, and others
// that it does not.
func TestGitEnviron(t *testing.T) {
	t.Parallel()
	kept := []string{
		"PATH=/bin", "HOME=/home/a", "SSH_AUTH_SOCK=/run/s", "GIT_SSH_COMMAND=ssh -v", "GIT_SSL_CAINFO=/ca.pem", "GIT_CONFIG_GLOBAL=/c",
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=k", "GIT_CONFIG_VALUE_0=v", "GIT_HTTP_LOW_SPEED_LIMIT=1", "http_proxy=p",
	}
	dropped := []string{
		"SWITCHYARD_AGENT_TOKEN=1", "BUILDKITE_AGENT_TOKEN=2", "PWD=/", "OLDPWD=/", "GIT_DIR=/x", "GIT_WORK_TREE=/x", "GIT_INDEX_FILE=/x",
		"GIT_OBJECT_DIRECTORY=/x", "GIT_ALTERNATE_OBJECT_DIRECTORIES=/x", "GIT_DEFAULT_HASH=sha256", "GIT_DEFAULT_REF_FORMAT=reftable",
		"GIT_NAMESPACE=x", "GIT_COMMON_DIR=/x", "GIT_CEILING_DIRECTORIES=/", "GIT_CONFIG_PARAMETERS='a.b=c'", "GIT_CONFIG=/x", "GIT_PREFIX=x/",
		"GIT_SHALLOW_FILE=/x", "GIT_REPLACE_REF_BASE=x", "GIT_LITERAL_PATHSPECS=1", "GIT_QUARANTINE_PATH=/x", "GIT_EXEC_PATH=/x", "GIT_EDITOR=vi",
		"GIT_ASKPASS=/x", "SSH_ASKPASS=/x", "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0", "WAYLAND_DISPLAY=w", "GIT_TERMINAL_PROMPT=1",
		"GIT_ATTR_SOURCE=x", "GIT_TEMPLATE_DIR=/x", "GIT_NO_LAZY_FETCH=1", "GIT_SSHX=1",
	}
	got := gitEnviron(slices.Concat(kept, dropped))
	if want := append(slices.Clone(kept), "GIT_TERMINAL_PROMPT=0", "SSH_ASKPASS_REQUIRE=never"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestProgressFilter checks which lines of git are in the log, however they are cut.
func TestProgressFilter(t *testing.T) {
	t.Parallel()
	const text = "From here\nremote: Counting:  50% (1/2)\rremote: Counting: 100% (2/2), done.\nReceiving: 10%\rReceiving: 20%\r" +
		"Receiving: 100%, done.\r\nHEAD is now at 1\n\nfatal: the end"
	const want = "From here\nHEAD is now at 1\n\nfatal: the end\n"
	for size := 1; size < len(text); size++ {
		var got bytes.Buffer
		f := &progressFilter{to: &got}
		for rest := text; rest != ""; rest = rest[min(size, len(rest)):] {
			if n, err := f.Write([]byte(rest[:min(size, len(rest))])); err != nil || n != min(size, len(rest)) {
				t.Fatal(n, err)
			}
		}
		f.flush()
		if got.String() != want {
			t.Errorf("in pieces of %d bytes: %q, want %q", size, got.String(), want)
		}
	}
	var long bytes.Buffer
	f := &progressFilter{to: &long}
	_, _ = f.Write([]byte(strings.Repeat("x", 3*maxLine)))
	if len(f.line) > maxLine || long.Len() < 2*maxLine {
		t.Errorf("%d bytes of one line are held back", len(f.line))
	}
}
