//go:build !windows

package datadir

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCheckDir(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		mode            fs.FileMode
		shared, refused bool
	}{
		{0o700, false, false},
		{0o755, false, false},
		{0o750, false, false},
		{0o770, true, false},
		{0o775, true, false},
		{0o777, false, true},
		{0o702, false, true},
		{0o777 | fs.ModeSticky, false, true},
	} {
		dir := t.TempDir()
		chmod(t, dir, row.mode)
		shared, err := CheckDir(dir)
		if shared != row.shared || (err != nil) != row.refused || err != nil && !strings.Contains(err.Error(), dir) {
			t.Errorf("%v: shared %t, %v; want %t, refused %t", row.mode, shared, err, row.shared, row.refused)
		}
	}
}

func TestCheckTokenFile(t *testing.T) {
	t.Parallel()
	for mode, refused := range map[fs.FileMode]bool{
		0o600: false, 0o400: false, 0o640: false, 0o644: true, 0o604: true, 0o602: true, 0o666: true,
	} {
		path := filepath.Join(t.TempDir(), AdminTokenFile)
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		chmod(t, path, mode)
		err := CheckTokenFile(path)
		if (err != nil) != refused || err != nil && !strings.Contains(err.Error(), path) {
			t.Errorf("%v: %v, want refused %t", mode, err, refused)
		}
	}
	if err := CheckTokenFile(filepath.Join(t.TempDir(), "none")); err != nil {
		t.Errorf("a file that does not exist: %v", err)
	}
}

func TestCheckSecretFile(t *testing.T) {
	t.Parallel()
	const fine, warned, refused = "", "can read it", "other users can replace it"
	for mode, want := range map[fs.FileMode]string{
		0o600: fine, 0o400: fine, 0o640: fine, 0o440: fine,
		0o644: warned, 0o604: warned, 0o444: warned, 0o664: warned, 0o660: "its group can replace it",
		0o666: refused, 0o602: refused, 0o777: refused,
	} {
		path := filepath.Join(t.TempDir(), "agent.token")
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		chmod(t, path, mode)
		warning, err := CheckSecretFile("token file", path)
		said := warning
		if err != nil {
			said = err.Error()
		}
		named := strings.HasPrefix(said, fmt.Sprintf("token file %s has the mode %#o, ", path, mode))
		if (err != nil) != (want == refused) || !strings.Contains(said, want) || named != (want != fine) {
			t.Errorf("%#o: %q, %v; want %q", mode, warning, err, want)
		}
	}
	for _, path := range []string{filepath.Join(t.TempDir(), "none"), os.DevNull} {
		if warning, err := CheckSecretFile("token file", path); warning != "" || err != nil {
			t.Errorf("%s: %q, %v", path, warning, err)
		}
	}
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(path, "token")
	if _, err := CheckSecretFile("token file", path); err == nil || err.Error() != "token file "+path+" cannot be read: not a directory" {
		t.Errorf("below a file: %v", err)
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
