package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatched changes the two files of a value, and checks what the value is after
// that, and what is said of it.
func TestWatched(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(t *testing.T, one, two string)
		want   string
		notice string // "replaced", or a part of the error
	}{
		{"no change", func(*testing.T, string, string) {}, "a+b", ""},
		{"new content", func(t *testing.T, one, _ string) { put(t, one, "c") }, "c+b", "replaced"},
		{"another file", func(t *testing.T, one, _ string) { replace(t, one, "c") }, "c+b", "replaced"},
		{"the same content again", func(t *testing.T, one, _ string) { replace(t, one, "a") }, "a+b", ""},
		{"a longer one with the old time", func(t *testing.T, one, _ string) {
			info, err := os.Stat(one)
			put(t, one, "longer")
			if err = errors.Join(err, os.Chtimes(one, info.ModTime(), info.ModTime())); err != nil {
				t.Fatal(err)
			}
		}, "longer+b", "replaced"},
		{"content that cannot be used", func(t *testing.T, one, _ string) { put(t, one, "bad") }, "a+b", "bad content"},
		{"a file that is gone", func(t *testing.T, one, _ string) { remove(t, one) }, "a+b", "the file " + "one"},
		{"both", func(t *testing.T, one, two string) { put(t, one, "x"); put(t, two, "y") }, "x+y", "replaced"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			one, two := filepath.Join(dir, "one"), filepath.Join(dir, "two")
			put(t, one, "a")
			put(t, two, "b")
			synctest.Test(t, func(t *testing.T) {
				var notices []string
				w := watch(t, one, two, &notices)
				row.change(t, one, two)
				if got := w.Current(); got != "a+b" {
					t.Errorf("within a second the value is %q, and must be the old one", got)
				}
				for range 3 { // a notice comes once
					time.Sleep(checkInterval)
					if got := w.Current(); got != row.want {
						t.Errorf("the value is %q, want %q", got, row.want)
					}
				}
				switch {
				case row.notice == "" && len(notices) == 0:
				case row.notice == "", len(notices) != 1, !strings.Contains(strings.ReplaceAll(notices[0], dir+"/", ""), row.notice):
					t.Errorf("notices %q, want one with %q", notices, row.notice)
				}
			})
		})
	}
}

// TestWatchedReload checks that Reload reads at once, returns what came of it, without a
// notice, and that files that were mended are used.
func TestWatchedReload(t *testing.T) {
	t.Parallel()
	one, two := filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "two")
	put(t, one, "a")
	put(t, two, "b")
	var notices []string
	w := watch(t, one, two, &notices)
	for _, step := range []struct {
		content string
		changed bool
		err     bool
		want    string
	}{
		{"a", false, false, "a+b"},
		{"c", true, false, "c+b"},
		{"bad", false, true, "c+b"},
		{"bad", false, true, "c+b"},
		{"d", true, false, "d+b"},
	} {
		put(t, one, step.content)
		changed, err := w.Reload()
		if changed != step.changed || (err != nil) != step.err || w.Current() != step.want {
			t.Errorf("content %q: changed %t, error %v, value %q; want %+v", step.content, changed, err, w.Current(), step)
		}
	}
	if len(notices) > 0 {
		t.Errorf("notices %q, want none", notices)
	}
}

func watch(t *testing.T, one, two string, notices *[]string) *Watched[string] {
	t.Helper()
	parse := func(contents [][]byte) (string, error) {
		if string(contents[0]) == "bad" {
			return "", errors.New("bad content")
		}
		return string(contents[0]) + "+" + string(contents[1]), nil
	}
	w, err := NewWatched([]NamedFile{{"the file", one}, {"the file", two}}, parse, func(err error) {
		if err == nil {
			*notices = append(*notices, "replaced")
			return
		}
		*notices = append(*notices, err.Error())
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// put writes a file. One that is there is written a second later, as people do: at once it
// could have the same time as before, since the clock of some kernels has steps of 10 ms.
func put(t *testing.T, file, content string) {
	t.Helper()
	before, err := os.Stat(file)
	if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err == nil {
		later := before.ModTime().Add(time.Second)
		if err := os.Chtimes(file, later, later); err != nil {
			t.Fatal(err)
		}
	}
}

// replace renames a new file into place, as tools that renew certificates do.
func replace(t *testing.T, file, content string) {
	t.Helper()
	put(t, file+".new", content)
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}
