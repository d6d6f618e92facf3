//go:build unix

package job

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/job/joblink"
)

// TestHideSecrets runs commands that print secrets, none of which may be in the log.
func TestHideSecrets(t *testing.T) {
	t.Parallel()
	key := "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----"
	for _, tt := range []struct {
		name   string
		env    map[string]string
		setup  func(*Spec, *Options)
		script string
		want   string
	}{
		{
			name: "values of variables", env: map[string]string{"NPM_TOKEN": "npm-secret", "db_password": "hunter22", "NPM_NAME": "plain-name"},
			script: `echo "<$NPM_TOKEN> <$db_password> <$NPM_NAME>"; env | grep ^NPM_TOKEN= >&2`,
			want:   "<[REDACTED]> <[REDACTED]> <plain-name>\nNPM_TOKEN=[REDACTED]\n",
		},
		{
			name: "passwords in URLs",
			env: map[string]string{
				"BUILDKITE_PULL_REQUEST_REPO": "https://repo-token@host/r", "DATABASE": "postgres://user:db%2Fpassword@db/x", "PLAIN": "http://host-name:8080/x",
			},
			script: `echo "$BUILDKITE_PULL_REQUEST_REPO $DATABASE $PLAIN db/password"`,
			want:   "https://[REDACTED]@host/r postgres://user:[REDACTED]@db/x http://host-name:8080/x [REDACTED]\n",
		},
		{
			name:   "no variables hidden, by the operator's choice",
			env:    map[string]string{"BUILDKITE_PULL_REQUEST_REPO": "https://repo-token@host/r", "DATABASE": "postgres://user:password@db/x"},
			setup:  func(_ *Spec, o *Options) { o.RedactedVars = []string{} },
			script: `echo "$BUILDKITE_PULL_REQUEST_REPO $DATABASE"`,
			want:   "https://[REDACTED]@host/r postgres://user:password@db/x\n",
		},
		{
			name: "passwords in the agent's environment",
			setup: func(_ *Spec, o *Options) {
				o.Environ = []string{"PATH=" + os.Getenv("PATH"), "HOME=http://me:password@host/"}
			},
			script: `echo "$HOME"`,
			want:   "http://me:[REDACTED]@host/\n",
		},
		{
			name: "passwords in the agent's environment, which all of its jobs share",
			setup: func(_ *Spec, o *Options) {
				o.Environ = []string{"PATH=" + os.Getenv("PATH"), "HOME=http://me:password@host/", "LANG=abcdefgh", "TZ=x"}
				o.RedactedVars = []string{"LANG", "T?"}
				o.Inherited, _ = NewInherited(o.Settings)
				o.Environ = nil
			},
			script: `echo "$HOME $LANG"`,
			want: "switchyard: not hidden in this log, because their values have fewer than 6 bytes: TZ\n" +
				"http://me:[REDACTED]@host/ [REDACTED]\n",
		},
		{
			name: "split, with colors", env: map[string]string{"A_SECRET": "abcdefgh"},
			script: `printf abc; printf d >&2; printf 'ef\033[31mgh\033[m\n'`,
			want:   "[REDACTED]\x1b[m\n",
		},
		{
			name: "across many chunks", env: map[string]string{"A_SECRET": "abcdefgh"},
			setup:  func(s *Spec, _ *Options) { s.ChunkMaxSize = 3 },
			script: `echo "1 $A_SECRET 2 $A_SECRET 3"`,
			want:   "1 [REDACTED] 2 [REDACTED] 3\n",
		},
		{
			name: "encoded by system tools", env: map[string]string{"A_KEY": key},
			script: `printf %s "$A_KEY" | base64; printf %s "user:$A_KEY" | base64 | tr -d '\n=' | sed 's/^.......//'; echo; printf '%s\n' "$A_KEY"`,
			want:   "[REDACTED]\n[REDACTED]\n[REDACTED]\n",
		},
		{
			name: "tokens of the job and the agent",
			setup: func(s *Spec, o *Options) {
				s.Token, o.Secrets = "token-of-the-job", []string{"token-of-the-session", "token-of-the-agent"}
			},
			script: `echo "$BUILDKITE_AGENT_ACCESS_TOKEN" token-of-the-session token-of-the-agent`,
			want:   "[REDACTED] [REDACTED] [REDACTED]\n",
		},
		{
			name: "step keys are not secret", env: map[string]string{"BUILDKITE_STEP_KEY": "unit-tests"},
			script: `echo "$BUILDKITE_STEP_KEY"`,
			want:   "unit-tests\n",
		},
		{
			name: "configured globs", env: map[string]string{"MY_TOKEN": "in-the-open", "HUSH_A": "secret-a", "BUILDKITE_STEP_KEY": "unit-tests"},
			setup:  func(_ *Spec, o *Options) { o.RedactedVars = []string{"hush_?", "BUILDKITE_STEP_KEY"} },
			script: `echo "$MY_TOKEN $HUSH_A $BUILDKITE_STEP_KEY $BUILDKITE_REDACTED_VARS"`,
			want:   "in-the-open [REDACTED] [REDACTED] hush_?,BUILDKITE_STEP_KEY\n",
		},
		{
			name: "too short", env: map[string]string{"A_PASSWORD": "12345", "B_PASSWORD": ""},
			script: `echo "$A_PASSWORD"`,
			want:   "switchyard: not hidden in this log, because their values have fewer than 6 bytes: A_PASSWORD\n12345\n",
		},
		{
			name: "a prefix of a secret at the end", env: map[string]string{"A_SECRET": "abcdefgh"},
			script: `printf abcdefg`,
			want:   "abcdefg",
		},
		{
			name: "in the agent's own lines", env: map[string]string{"A_SECRET": "abcdefgh"},
			setup:  func(_ *Spec, o *Options) { o.Shell = []string{"/abcdefgh/sh"} },
			script: `true`,
			want:   "switchyard: cannot run the job: starting the shell /[REDACTED]/sh: fork/exec /[REDACTED]/sh: no such file or directory\n",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cp := &recorder{}
			spec, opts := jobFor(t, tt.script)
			maps.Copy(spec.Env, tt.env)
			if tt.setup != nil {
				tt.setup(&spec, &opts)
			}
			result, err := Run(t.Context(), spec, cp, opts)
			if err != nil && !errors.Is(err, PhaseProcess) {
				t.Fatal(err)
			}
			log, err := cp.log()
			if err != nil {
				t.Fatal(err)
			}
			if result.OutputBytes != uint64(len(log)) {
				t.Errorf("%d bytes of output, and %d in the log", result.OutputBytes, len(log))
			}
			if string(log) != tt.want {
				t.Errorf("log %q\nwant %q", log, tt.want)
			}
		})
	}
}

// TestHideAddedSecret adds a secret to a running job, which prints it before and
// after that.
func TestHideAddedSecret(t *testing.T) {
	t.Parallel()
	cp := &recorder{}
	spec, opts := jobFor(t, `mkfifo go; pwd; echo "$SWITCHYARD_JOB_SOCKET"; echo fetched-1234; cat go; echo fetched-1234`)
	done := make(chan error, 1)
	go func() {
		_, err := Run(t.Context(), spec, cp, opts)
		done <- err
	}()
	cp.await(t, "fetched-1234\n")
	log, err := cp.log()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(string(log), "\n")
	dir, socket := lines[0], lines[1]
	if err := joblink.Redact(t.Context(), socket, []string{"fetched-1234"}); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go"), []byte("now "), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if log, err = cp.log(); err != nil || !bytes.HasSuffix(log, []byte("\nfetched-1234\nnow [REDACTED]\n")) {
		t.Errorf("log %q: %v", log, err)
	}
	if _, err := os.Stat(filepath.Dir(socket)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the socket still exists: %v", err)
	}
}

var stampedLine = regexp.MustCompile(`^\x1b_bk;t=(\d{13})\x07([^\x1b]*)$`)

// TestTimestampLines checks that every line has the time at its start, and only
// there.
func TestTimestampLines(t *testing.T) {
	t.Parallel()
	cp := &recorder{}
	spec, opts := jobFor(t, `printf 'one\n\npart'; printf 'ed\r\n%s\n' "$A_SECRET"; printf unended; exec /no/such/command 2>/dev/null`)
	spec.Env["A_SECRET"] = "abcdefgh"
	spec.Env["B_SECRET"] = strconv.FormatInt(time.Now().UnixMilli(), 10)[:7] // part of every timestamp of these hours
	opts.TimestampLines = true
	before := time.Now()
	if _, err := Run(t.Context(), spec, cp, opts); err != nil {
		t.Fatal(err)
	}
	log, err := cp.log()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"one", "", "parted\r", "[REDACTED]", "unended"}
	lines := strings.Split(string(log), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%q", lines)
	}
	last := before.UnixMilli()
	for i, line := range lines {
		parts := stampedLine.FindStringSubmatch(line)
		if len(parts) < 3 || parts[2] != want[i] {
			t.Errorf("line %q, want a timestamp and %q", line, want[i])
			continue
		}
		at, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil || at < last || at > time.Now().UnixMilli() {
			t.Errorf("line %q has a wrong timestamp: %v", line, err)
		}
		last = at
	}
}

// TestRedactedVarsAreChecked checks that the error names the invalid glob.
func TestRedactedVarsAreChecked(t *testing.T) {
	t.Parallel()
	_, err := Settings{BuildPath: t.TempDir(), RedactedVars: []string{"*_KEY", "[A-"}}.WithDefaults()
	if err == nil || !strings.Contains(err.Error(), `RedactedVars: invalid glob pattern "[A-"`) {
		t.Errorf("WithDefaults: %v", err)
	}
}
