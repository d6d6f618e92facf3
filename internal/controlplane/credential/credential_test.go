package credential_test

import (
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/credential"
)

func TestHashMatchesItsTokenOnly(t *testing.T) {
	t.Parallel()
	hash := credential.HashOf("the token")
	for token, want := range map[string]bool{
		"the token":  true,
		"the tokem":  false,
		"the token ": false,
		"":           false,
	} {
		if got := hash.Matches(token); got != want {
			t.Errorf("Matches(%q) = %v, want %v", token, got, want)
		}
	}
	if credential.HashOf("").Matches("") {
		t.Error("the empty token matches its hash; it must match nothing")
	}
}

func TestPresent(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ header, scheme, want string }{
		{"Token abc", "Token", "abc"},
		{"token abc", "Token", "abc"},
		{"TOKEN   abc", "Token", "abc"},
		{"Bearer abc", "Token", ""},
		{"Bearer abc", "Bearer", "abc"},
		{"Tokenabc", "Token", ""},
		{"Token", "Token", ""},
		{"Token ", "Token", ""},
		{"", "Token", ""},
		{"abc", "Token", ""},
	} {
		if got := credential.Present(row.header, row.scheme); got != row.want {
			t.Errorf("Present(%q, %q) = %q, want %q", row.header, row.scheme, got, row.want)
		}
	}
}

func FuzzPresent(f *testing.F) {
	f.Add("Token abc")
	f.Add("token  a b")
	f.Fuzz(func(t *testing.T, header string) {
		token := credential.Present(header, "Token")
		if token != "" && (len(header) < len("Token ")+len(token) || header[len(header)-len(token):] != token) {
			t.Errorf("%q holds %q", header, token)
		}
	})
}
