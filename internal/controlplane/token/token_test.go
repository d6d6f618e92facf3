package token_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
)

func TestHashMatchesItsTokenOnly(t *testing.T) {
	t.Parallel()
	hash := token.HashOf("the token")
	for plain, want := range map[string]bool{
		"the token":  true,
		"the tokem":  false,
		"the token ": false,
		"":           false,
	} {
		if got := hash.Matches(plain); got != want {
			t.Errorf("Matches(%q) = %v, want %v", plain, got, want)
		}
	}
	if token.HashOf("").Matches("") {
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
		if got := token.Present(row.header, row.scheme); got != row.want {
			t.Errorf("Present(%q, %q) = %q, want %q", row.header, row.scheme, got, row.want)
		}
	}
}

func FuzzPresent(f *testing.F) {
	f.Add("Token abc")
	f.Add("token  a b")
	f.Fuzz(func(t *testing.T, header string) {
		got := token.Present(header, "Token")
		if got != "" && (len(header) < len("Token ")+len(got) || header[len(header)-len(got):] != got) {
			t.Errorf("%q holds %q", header, got)
		}
	})
}

func TestHashTextForm(t *testing.T) {
	t.Parallel()
	hash := token.HashOf("the token")
	text, err := hash.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	var got token.Hash
	if err := got.UnmarshalText(text); err != nil || got != hash {
		t.Errorf("got %v, %v; want %v", got, err, hash)
	}
	for _, bad := range []string{"", "sha256:", "sha256:00", string(text[1:]), string(text) + "00"} {
		if err := got.UnmarshalText([]byte(bad)); err == nil {
			t.Errorf("%q was accepted as a hash", bad)
		}
	}
}

func TestKindsAreToldApart(t *testing.T) {
	t.Parallel()
	id := uuid.NewString()
	session, hash := token.Session.New(id)
	if got, ok := token.Session.ID(session); !ok || got != id || !hash.Matches(session) {
		t.Errorf("%q names %q, %v; want %q", session, got, ok, id)
	}
	if id, ok := token.Job.ID(session); ok {
		t.Errorf("a session token names job %q", id)
	}
}

func FuzzTokenID(f *testing.F) {
	job, _ := token.Job.New(uuid.NewString())
	f.Add(job)
	f.Add(string(token.Job))
	f.Fuzz(func(t *testing.T, text string) {
		if id, ok := token.Job.ID(text); ok && uuid.Validate(id) != nil {
			t.Errorf("%q names %q", text, id)
		}
	})
}
