package controlplane

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/datadir"
)

func TestTokenFileIsCreatedOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, err := loadSecret(dir, datadir.AdminTokenFile, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(first.clear) < token.MinLength {
		t.Errorf("the token has %d characters, want at least %d", len(first.clear), token.MinLength)
	}
	info, err := os.Stat(filepath.Join(dir, datadir.AdminTokenFile))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != fileMode {
		t.Errorf("the token file has mode %v, want %v", info.Mode().Perm(), fileMode)
	}
	second, err := loadSecret(dir, datadir.AdminTokenFile, "")
	if err != nil {
		t.Fatal(err)
	}
	if first.clear != second.clear || !slices.Equal(first.hashes, second.hashes) {
		t.Error("the second start has another token than the first")
	}
	other, err := loadSecret(dir, datadir.RegistrationTokenFile, "")
	if err != nil {
		t.Fatal(err)
	}
	if other.clear == first.clear {
		t.Error("two files have the same token")
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 {
		t.Errorf("the directory contains %v (%v), want only the two token files", entries, err)
	}
}

func TestSecretForms(t *testing.T) {
	t.Parallel()
	const cleartext = "0123456789abcdef"
	for _, row := range []struct {
		name, value string
		clear       string
		message     string
	}{
		{"clear text", cleartext, cleartext, ""},
		{"hash", token.HashOf(cleartext).String(), "", ""},
		{"too short", "0123456789abcde", "", "16 to 512 characters, this one has 15"},
		{"too long", strings.Repeat("x", 513), "", "16 to 512 characters, this one has 513"},
		{"with a space", "0123456789 abcdef", "", "printable ASCII without spaces"},
		{"a short second line", cleartext + "\nabcdef", "", "16 to 512 characters"},
		{"two lines", cleartext + "\n" + strings.Repeat("x", 20), cleartext, ""},
		{"too many lines", strings.Repeat(cleartext+"\n", 8) + cleartext, "", "more than 8 tokens"},
		{"not ASCII", "0123456789abcdefß", "", "printable ASCII without spaces"},
		{"short hash", "sha256:00", "", "64 hexadecimal digits"},
		{"hash of other letters", "sha256:" + strings.Repeat("x", 64), "", "64 hexadecimal digits"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := parseSecret(row.value)
			if row.message != "" {
				if err == nil || !strings.Contains(err.Error(), row.message) || strings.Contains(err.Error(), row.value) {
					t.Errorf("error %v: want one that contains %q and not the value", err, row.message)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.clear != row.clear || !got.hashes[0].Matches(cleartext) {
				t.Errorf("clear text %q, matches its token: %v", got.clear, got.hashes[0].Matches(cleartext))
			}
		})
	}
}

func TestTokenFileErrors(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		prepare func(path string) error
		message string
	}{
		{"empty", func(path string) error { return os.WriteFile(path, nil, fileMode) }, "remove the file"},
		{"a directory", func(path string) error { return os.Mkdir(path, dirMode) }, "is a directory"},
		{"no directory", func(path string) error { return os.Remove(filepath.Dir(path)) }, "no such file"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "data")
			if err := os.Mkdir(dir, dirMode); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, datadir.AdminTokenFile)
			if err := row.prepare(path); err != nil {
				t.Fatal(err)
			}
			_, err := loadSecret(dir, datadir.AdminTokenFile, "")
			if err == nil || !strings.Contains(err.Error(), row.message) || !strings.Contains(err.Error(), path) {
				t.Errorf("error %v: want one that contains %s and %q", err, path, row.message)
			}
		})
	}
}
