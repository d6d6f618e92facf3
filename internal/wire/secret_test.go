package wire_test

import (
	"testing"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

func TestNamesSecret(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"API_TOKEN": true, "api_token": true, "TOKEN": true, "DB_PASSWORD": true, "AWS_SECRET_ACCESS_KEY": true,
		"PATH": false, "TOKENS": false, "KEYBOARD": false, wire.EnvStepKey: false, wire.EnvGroupKey: false, "": false,
	} {
		if got := wire.NamesSecret(wire.DefaultRedactedVars(), name); got != want {
			t.Errorf("%s: %t, want %t", name, got, want)
		}
	}
	if !wire.NamesSecret([]string{wire.EnvStepKey}, wire.EnvStepKey) {
		t.Error("a pattern that is exactly the name of a step's variable does not match")
	}
}

func TestHideUserInfo(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"https://token@host/r.git":         "https://[REDACTED]@host/r.git",
		"https://u:p@host":                 "https://[REDACTED]@host",
		"https://u:p@host/":                "https://[REDACTED]@host/",
		"HTTP://u:p@host/r":                "HTTP://[REDACTED]@host/r",
		"https://u:p%zz@host/r":            "https://[REDACTED]@host/r",
		"https://u:p@q@host/r":             "https://[REDACTED]@host/r",
		"nats://u:p@a:4222":                "nats://[REDACTED]@a:4222",
		"ssh://git@host/r":                 "ssh://git@host/r",
		"git@host:r":                       "git@host:r",
		"https://host/a@b":                 "https://host/a@b",
		"https://host?mail=a:b@c":          "https://host?mail=a:b@c",
		"plain":                            "plain",
		"":                                 "",
		"postgres://user:secret@db/x?y=1/": "postgres://[REDACTED]@db/x?y=1/",
	} {
		if got := wire.HideUserInfo(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
