package agentdir

import (
	"os"
	"path/filepath"
	"testing"
)

// Agents at the same time have a directory each; one after another have the same.
func TestClaim(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	claim := func(want string) *Dir {
		t.Helper()
		d, err := Claim(data)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Socket(); got != filepath.Join(data, "agents", want, "status.sock") {
			t.Errorf("socket %s, want that of %s", got, want)
		}
		return d
	}
	release := func(d *Dir) {
		t.Helper()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	}
	first, second := claim("1"), claim("2")
	release(first)
	again := claim("1")
	places := Places(data)
	if len(places) != 2 || places[0].Socket() != again.Socket() || places[1].Socket() != second.Socket() {
		t.Errorf("places %v", places)
	}
	if !places[0].InUse() || !places[1].InUse() {
		t.Error("a directory that was claimed is not in use")
	}
	release(again)
	release(second)
	if places[0].InUse() || places[1].InUse() || (Place{t.TempDir()}).InUse() {
		t.Error("a directory that was released, or never claimed, is in use")
	}
	if again := claim("1"); again != nil {
		release(again)
	}
	if places := Places(t.TempDir()); len(places) != 0 {
		t.Errorf("places %v of an empty directory", places)
	}
}

func TestClaimFails(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	for range maxAgents {
		d, err := Claim(data)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = d.Close() })
	}
	if _, err := Claim(data); err == nil {
		t.Error("more agents than the limit have a directory")
	}
	file := filepath.Join(data, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Claim(file); err == nil {
		t.Error("a directory below a file was made")
	}
}
