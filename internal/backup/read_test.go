package backup

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// A file that is not a whole backup is refused: when it is opened, or at the latest instead of
// its end.
func TestReadFails(t *testing.T) {
	t.Parallel()
	job := stored("job", []byte("1"))
	whole := packed(t, header(), job, trailer(1))
	for name, row := range map[string]struct {
		content []byte
		opens   bool  // the header is read
		want    error // nil is any
		text    string
	}{
		"empty":                        {nil, false, nil, "it is not a backup"},
		"not in gzip":                  {[]byte("-----BEGIN CERTIFICATE-----"), false, nil, "it is not a backup"},
		"nothing in gzip":              {packed(t), false, ErrIncomplete, "after 0 records"},
		"no header":                    {packed(t, job, trailer(1)), false, nil, "it has no header"},
		"a header alone":               {packed(t, header()), true, ErrIncomplete, "after 0 records"},
		"no trailer":                   {packed(t, header(), job), true, ErrIncomplete, "after 1 records"},
		"a record is missing":          {packed(t, header(), job, trailer(2)), true, ErrIncomplete, "it has 1 records of 2"},
		"a record too many":            {packed(t, header(), job, job, trailer(1)), true, ErrIncomplete, "it has 2 records of 1"},
		"two headers":                  {packed(t, header(), header(), trailer(0)), true, nil, "unknown kind"},
		"a message of a later version": {packed(t, header(), &message{}, trailer(0)), true, nil, "unknown kind"},
		"a message that is too large":  {packed(t, header(), stored("job", make([]byte, maxMessage)), trailer(1)), true, nil, "after 0 records"},
		"a record after the end":       {packed(t, header(), trailer(0), job), true, nil, "it goes on after its end"},
		"two backups":                  {slices.Concat(whole, whole), true, nil, "it goes on after its end"},
		"bytes after the end":          {slices.Concat(whole, []byte("more than nothing")), true, nil, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := file(t, row.content)
			h, _, err := readAll(t, path)
			if err == nil || row.want != nil && !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("got %v, want %v with %q", err, row.want, row.text)
			}
			if opens := h != nil; opens != row.opens || err != nil && !opens && !strings.Contains(err.Error(), path) {
				t.Errorf("opened: %t, want %t; %v", opens, row.opens, err)
			}
		})
	}
}

// file writes a file and returns its path.
func file(t *testing.T, content []byte) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "backup.gz")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// gzipHeader is the size of the header of gzip, in bytes. Some of it means nothing here.
const gzipHeader = 10

// Wherever a file ends too early, or has another byte, it is refused.
func TestReadDamaged(t *testing.T) {
	t.Parallel()
	whole := packed(t, header(), stored("job", bytes.Repeat([]byte("echo "), 20)), stored("log", []byte("hello")), trailer(2))
	if _, subjects, err := readAll(t, file(t, whole)); err != nil || len(subjects) != 2 {
		t.Fatalf("whole: %v, %v", subjects, err)
	}
	for at := range whole {
		if _, _, err := readAll(t, file(t, whole[:at])); err == nil || at >= gzipHeader && !errors.Is(err, ErrIncomplete) {
			t.Errorf("%d bytes of %d: %v", at, len(whole), err)
		}
	}
	for at := gzipHeader; at < len(whole); at++ {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 0xff
		if _, subjects, err := readAll(t, file(t, damaged)); err == nil {
			t.Errorf("byte %d is another one, and it is read: %v", at, subjects)
		}
	}
}

// What cannot be read is named in the error.
func TestOpenFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, row := range map[string]struct {
		path string
		want error // nil is any
	}{
		"no file":     {filepath.Join(dir, "none"), fs.ErrNotExist},
		"a directory": {dir, nil},
	} {
		if r, err := Open(t.Context(), row.path); r != nil || row.want != nil && !errors.Is(err, row.want) || !strings.Contains(fmt.Sprint(err), row.path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	cancel(interrupted)
	if _, err := Open(ctx, file(t, packed(t, header(), trailer(0)))); !errors.Is(err, interrupted) {
		t.Errorf("a context that has ended: %v", err)
	}
}
