package backup

import (
	"bytes"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/testing/protocmp"

	"github.com/switchyard-ci/switchyard/internal/smalldisk"
)

// What is written is read again, and only its owner can read it.
func TestWriteAndRead(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "backup.gz")
	largest := stored("large", bytes.Repeat([]byte("x"), maxMessage-100))
	records, err := Write(path, sending(nil, header(), stored("job", []byte("1")), largest, stored("empty", nil), trailer(3)))
	if err != nil || records != 3 {
		t.Fatalf("%d records, %v", records, err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 && runtime.GOOS != "windows" {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if files := filesIn(t, dir); len(files) != 1 {
		t.Errorf("files: %v", files)
	}
	got, subjects, err := readAll(t, path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(header().GetHeader(), got, protocmp.Transform()); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"job", "large", "empty"}, subjects); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func filesIn(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// A backup that cannot be written whole leaves no file, and nothing that was there before is
// changed.
func TestWriteFails(t *testing.T) {
	t.Parallel()
	lost := errors.New("the connection was lost")
	whole := func() func() (*message, bool, error) { return sending(nil, header(), stored("job", nil), trailer(1)) }
	for name, row := range map[string]struct {
		receive func() (*message, bool, error)
		before  func(path string) error // what is there already; nil is nothing
		path    string                  // below the directory; empty is backup.gz
		want    error
		text    string // in the error
	}{
		"the control plane fails at once":       {receive: sending(lost), want: lost},
		"the control plane fails in the middle": {receive: sending(lost, header(), stored("job", nil)), want: lost},
		"the control plane fails after the end": {receive: sending(lost, header(), trailer(0)), want: lost},
		"no trailer":                            {receive: sending(nil, header(), stored("job", nil)), want: ErrIncomplete, text: "ended it early"},
		"nothing":                               {receive: sending(nil), want: ErrIncomplete},
		"the file exists": {
			before: func(path string) error { return os.WriteFile(path, []byte("precious"), 0o600) },
			want:   fs.ErrExist, text: "backup.gz",
		},
		"a directory has the name": {before: func(path string) error { return os.Mkdir(path, 0o700) }, want: fs.ErrExist, text: "backup.gz"},
		"a link has the name, to nothing": {
			before: func(path string) error { return os.Symlink("elsewhere", path) },
			want:   fs.ErrExist, text: "backup.gz",
		},
		"no directory": {receive: whole(), path: filepath.Join("none", "backup.gz"), want: fs.ErrNotExist, text: "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "backup.gz")
			if row.path != "" {
				path = filepath.Join(dir, row.path)
			}
			if row.before != nil {
				if err := row.before(path); err != nil {
					t.Fatal(err)
				}
			}
			before := filesIn(t, dir)
			if _, err := Write(path, row.receive); !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.text) {
				t.Errorf("got %v, want %v with %q", err, row.want, row.text)
			}
			if diff := cmp.Diff(before, filesIn(t, dir)); diff != "" {
				t.Errorf("files (-before +after):\n%s", diff)
			}
			if content, err := os.ReadFile(path); err == nil && string(content) != "precious" {
				t.Errorf("the file has %q", content)
			}
		})
	}
}

// A backup for which the disk has no room leaves no part of it there.
func TestWriteToAFullDisk(t *testing.T) {
	dir := smalldisk.Mount(t, 1)
	var messages []*message
	for i := range 64 { // which gzip does not make smaller
		data := make([]byte, 32<<10)
		rand.NewChaCha8([32]byte{byte(i)}).Read(data)
		messages = append(messages, stored("job", data))
	}
	messages = append(append([]*message{header()}, messages...), trailer(int64(len(messages))))
	_, err := Write(filepath.Join(dir, "backup.gz"), sending(nil, messages...))
	if err == nil || !strings.Contains(err.Error(), "writing the backup") || !strings.Contains(err.Error(), "no space") {
		t.Errorf("got %v", err)
	}
	if files := filesIn(t, dir); len(files) > 0 {
		t.Errorf("files: %v", files)
	}
}
