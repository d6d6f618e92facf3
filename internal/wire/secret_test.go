package wire_test

import (
	"path"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestNamesSecret(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"API_TOKEN": true, "api_token": true, "TOKEN": true, "DB_PASSWORD": true, "AWS_SECRET_ACCESS_KEY": true,
		"DB_PASS": true, "MYTOKEN": true, "GITHUB_PAT": true, "PGPASSWORD": true, "MYSQL_PWD": true, "SECRET_KEY_BASE": true,
		"MYAPIKEY": true, "AWS_CREDS": true, "TWO_SECRETS": true, "SSH_PASSPHRASE": true, "ID_JWT": true,
		"PASSENGER": false, "BYPASS": false, "COMPASS": false, "PWD": false, "OLDPWD": false, "PATTERN": false, "PATH": false,
		"GOPATH": false, "MONKEY": false, "PASSED": false, "MAX_TOKENS": false, "SSH_AUTH_SOCK": false, "FORMAT": false,
		"TOKENS": false, "KEYBOARD": false, wire.EnvStepKey: false, wire.EnvGroupKey: false, "": false,
	} {
		if got := wire.NamesSecret(wire.DefaultRedactedVars(), name); got != want {
			t.Errorf("%s: %t, want %t", name, got, want)
		}
	}
	if !wire.NamesSecret([]string{wire.EnvStepKey}, wire.EnvStepKey) {
		t.Error("a pattern that is exactly the name of a step's variable does not match")
	}
}

// TestNamesSecretMatchesAsPathMatch compares the match of patterns of all kinds with the one
// of the standard library, after which they are named.
func TestNamesSecretMatchesAsPathMatch(t *testing.T) {
	t.Parallel()
	names := []string{"A", "AB", "A_B", "A/B", "A*", "A?", "A]", `A\`, "A[", "", "Ä"}
	for _, glob := range []string{
		"*", "?", "A?", "*B", "A*", "A[AB]", "A[^B]", `A\*`, `A\]`, `A\\`, "A", "", "*/B", "Ä", "A[", `A\`, "[]A]", "*[!-~]", "a", "a?", "*b", `a\*`, "*ä",
	} {
		for _, name := range names {
			want, err := path.Match(strings.ToUpper(glob), name)
			if got := wire.NamesSecret([]string{glob}, name); got != (want && err == nil) {
				t.Errorf("%q and %q: %t", glob, name, got)
			}
		}
	}
}
