package spool

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// TestDamage damages the files of a job: what cannot be used is logged and left out,
// and the rest is used.
func TestDamage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		damage func(file string) string // of the job's file
		files  map[string]string        // in the directory of the log
		chunks int
		lost   int
		result bool   // there is a result
		aside  string // a file that was set aside, or "." for the whole job
		warns  bool
	}{
		{name: "none", chunks: 2, result: true},
		{name: "empty", damage: func(string) string { return "" }, aside: "removed"},
		{name: "part of a header", damage: func(file string) string { return file[:10] }, aside: "removed"},
		{name: "job truncated", damage: func(file string) string { return file[:50] }, aside: "."},
		{name: "zeros", damage: func(file string) string { return strings.Repeat("\x00", len(file)) }, aside: "."},
		{name: "job changed", damage: func(file string) string { return strings.Replace(file, "secret", "Secret", 1) }, aside: "."},
		{
			name: "a result in place of the job", aside: ".",
			damage: func(file string) string { return file[strings.LastIndex(file, header):] },
		},
		{name: "result truncated", damage: func(file string) string { return file[:len(file)-1] }, chunks: 2, warns: true},
		{
			name: "a chunk changed: what follows is lost", chunks: 1, warns: true,
			damage: func(file string) string { return strings.Replace(file, "def", "dEf", 1) },
		},
		{name: "empty chunk", files: map[string]string{"chunk-3-6": ""}, chunks: 2, lost: 1, result: true},
		{name: "one more chunk", files: map[string]string{"chunk-3-6": "ghi"}, chunks: 3, result: true},
		{name: "chunk too large", files: map[string]string{"chunk-3-6": strings.Repeat("x", 101)}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-3-6"},
		{name: "chunk overlaps", files: map[string]string{"chunk-3-5": "x"}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-3-5"},
		{name: "two chunks with one sequence number", files: map[string]string{"chunk-2-3": "x"}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-2-3"},
		{name: "not a chunk name", files: map[string]string{"chunk-x": "y"}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-x"},
		{name: "sequence number zero", files: map[string]string{"chunk-0-0": "y"}, chunks: 2, lost: 1, result: true, aside: "bad-chunk-0-0"},
		{name: "unknown file", files: map[string]string{"notes": "y"}, chunks: 2, result: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			core, logs := observer.New(zapcore.WarnLevel)
			dir := filepath.Join(t.TempDir(), "spool")
			s := open(t, dir, zap.New(core))
			e := create(t, s, "J1")
			write(t, e, 1, 0, "abc")
			write(t, e, 2, 3, "def")
			if err := e.SetResult(Result{FinishRequest: wire.FinishRequest{ExitStatus: "0"}}); err != nil {
				t.Fatal(err)
			}
			e.Close()
			damage(t, e, tt.damage, tt.files)
			ids := claimed(s, func(e *Entry) {
				chunks, lost := e.Chunks()
				if len(chunks) != tt.chunks || lost != tt.lost {
					t.Errorf("chunks %v, %d lost", chunks, lost)
				}
				if _, ok := e.Result(); ok != tt.result {
					t.Errorf("a result: %v", ok)
				}
			})
			aside, unusable := filepath.Join(e.logDir(), tt.aside), tt.aside == "." || tt.aside == "removed"
			switch tt.aside {
			case ".":
				aside = filepath.Join(dir, damagedPrefix+filepath.Base(e.path()))
			case "removed":
				aside = dir
			}
			if (len(ids) == 0) != unusable || exists(e.path()) == unusable || tt.aside != "" && !exists(aside) {
				t.Errorf("claimed %v; files %v", ids, names(t, dir))
			}
			if wantLog := tt.warns || tt.aside != "" && tt.aside != "removed"; (logs.Len() > 0) != wantLog {
				t.Errorf("logged %v", logs.All())
			}
			for _, line := range logs.All() {
				if reason, _ := line.ContextMap()["reason"].(string); strings.Contains(reason, "ecret") {
					t.Errorf("a token is in the log: %v", line)
				}
			}
			_ = s.Close()
		})
	}
}

// damage changes the files of a job that no entry holds.
func damage(t *testing.T, e *Entry, change func(string) string, files map[string]string) {
	t.Helper()
	if change != nil {
		content, err := os.ReadFile(e.path())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(e.path(), []byte(change(string(content))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_ = os.Mkdir(e.logDir(), ownerOnly)
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(e.logDir(), name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
