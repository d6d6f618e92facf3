package wire_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestURLSecrets has texts, as they are shown, and the secrets in them for the redactor
// of a log. token is a secret only in the URL of a repository.
func TestURLSecrets(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text, shown string
		secrets     []string
		token       string
	}{
		// Users and passwords.
		{"https://a:b@host/x@y", "https://[REDACTED]@host/x@y", []string{"b"}, ""},
		{"https://a:b@c@host/x", "https://[REDACTED]@host/x", []string{"b@c"}, ""},
		{"https://token@host", "https://[REDACTED]@host", nil, "token"},
		{"HTTP://u:p@host/r", "HTTP://[REDACTED]@host/r", []string{"p"}, ""},
		{"https://a:p%40ss%20word@host/r", "https://[REDACTED]@host/r", []string{"p%40ss%20word", "p@ss word"}, ""},
		{"https://a:bad%zz@host/r", "https://[REDACTED]@host/r", []string{"bad%zz"}, ""},
		{"https://a:to/ken@host/r", "https://[REDACTED]@host/r", []string{"to/ken"}, ""},
		{"https://a:pass?word@host/r", "https://[REDACTED]@host/r", []string{"pass?word"}, ""},
		{"https://a:b@host/r\n", "https://[REDACTED]@host/r\n", []string{"b"}, ""},
		{"http://a:@host/", "http://[REDACTED]@host/", nil, ""},
		{"ssh://git:secret@host:22/x", "ssh://[REDACTED]@host:22/x", []string{"secret"}, ""},
		{"postgres://user:p%41ss@db/x?y=1/", "postgres://[REDACTED]@db/x?y=1/", []string{"p%41ss", "pAss"}, ""},
		{"a redis://:one@h:1 and amqp://u:two@h/v;", "a redis://[REDACTED]@h:1 and amqp://[REDACTED]@h/v;", []string{"one", "two"}, ""},
		// Without a scheme.
		{"user:pw@h:x.git", "[REDACTED]@h:x.git", []string{"pw"}, ""},
		{"user:pw@tcp(db:3306)/x", "[REDACTED]@tcp(db:3306)/x", []string{"pw"}, ""},
		// Parameters.
		{"https://h/r?access_token=one&x=1", "https://h/r?access_token=[REDACTED]&x=1", []string{"one"}, ""},
		{"https://h/r?x=1&private_token=one#f", "https://h/r?x=1&private_token=[REDACTED]#f", []string{"one"}, ""},
		{"https://h/b?sv=1&sig=a%2Bb", "https://h/b?sv=1&sig=[REDACTED]", []string{"a%2Bb", "a+b"}, ""},
		{"https://h/?X-Amz-Signature=a&X-Amz-Date=b", "https://h/?X-Amz-Signature=[REDACTED]&X-Amz-Date=b", []string{"a"}, ""},
		{"https://u:p@h/?api_key=k", "https://[REDACTED]@h/?api_key=[REDACTED]", []string{"p", "k"}, ""},
		// Connection strings.
		{"Server=h;Password=a b;Database=d", "Server=h;Password=[REDACTED];Database=d", []string{"a b"}, ""},
		{"host=h password='a b' user=u", "host=h password=[REDACTED] user=u", []string{"a b"}, ""},
		{"Name=x;AccountKey=k==;", "Name=x;AccountKey=[REDACTED];", []string{"k=="}, ""},
		// Harmless.
		{"https://host:8080/x@y", "https://host:8080/x@y", nil, ""},
		{"https://host:8080?mail=a@b", "https://host:8080?mail=a@b", nil, ""},
		{"https://host?mail=a:b@c", "https://host?mail=a:b@c", nil, ""},
		{"https://h/?page_token_count=1&monkey=2&design=3", "https://h/?page_token_count=1&monkey=2&design=3", nil, ""},
		{"ssh://git@host:22/x", "ssh://git@host:22/x", nil, ""},
		{"git@host:x", "git@host:x", nil, ""},
		{"a:b@c", "a:b@c", nil, ""},
		{"/path", "/path", nil, ""},
		{"LS=ln=01;36:pi=40;33", "LS=ln=01;36:pi=40;33", nil, ""},
		{"plain", "plain", nil, ""},
		{"", "", nil, ""},
	} {
		if got := wire.HideURLSecrets(row.text); got != row.shown {
			t.Errorf("%q is shown as %q, want %q", row.text, got, row.shown)
		}
		if got := wire.URLSecrets(row.text); !slices.Equal(got, row.secrets) {
			t.Errorf("%q has the secrets %q, want %q", row.text, got, row.secrets)
		}
		want := row.secrets
		if row.token != "" {
			want = []string{row.token}
		}
		if got := wire.RepositorySecrets(row.text); !slices.Equal(got, want) {
			t.Errorf("as a repository %q has the secrets %q, want %q", row.text, got, want)
		}
	}
}

func TestHideAddresses(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"nats://a:4222":                             "nats://a:4222",
		"nats://user:secret@a:4222":                 "nats://[REDACTED]@a:4222",
		"nats://secret@a:4222":                      "nats://[REDACTED]@a:4222",
		"tls://u:secret@a:1, nats://u:secret@b:2":   "tls://[REDACTED]@a:1,nats://[REDACTED]@b:2",
		"a:4222,user:secret@b:4222":                 "nats://a:4222,nats://[REDACTED]@b:4222",
		"nats://u:secret%zz@a":                      "[REDACTED]",
		"nats://a:1/path?password=secret#secret":    "nats://a:1",
		"nats://[::1]:4222,nats://u:secret@[::2]:1": "nats://[::1]:4222,nats://[REDACTED]@[::2]:1",
	} {
		if got := wire.HideAddresses(in); got != want || strings.Contains(got, "secret") {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
