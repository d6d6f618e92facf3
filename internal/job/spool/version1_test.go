package spool

import (
	"encoding/json"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"github.com/switchyard-ci/switchyard/internal/wire"
)

// record1 returns a record as the earlier version wrote it.
func record1(t *testing.T, record any) string {
	t.Helper()
	body, err := json.Marshal(record)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("switchyard spool 1 %08x\n%s\n", crc32.Checksum(body, castagnoli), body)
}

// TestVersion1 finds jobs that an agent of the earlier version left: each is delivered
// once, with its log and result, and nothing of it stays.
func TestVersion1(t *testing.T) {
	t.Parallel()
	job := record1(t, Job{ID: "J/1", Token: "secret", Endpoint: "http://127.0.0.1/v3", ChunkMaxSize: 100})
	result := record1(t, Result{FinishRequest: wire.FinishRequest{ExitStatus: "5", ChunksFailed: 1}})
	const dir1 = "job-J_1-1234"
	whole := map[string]string{"lock": "", "job": job, "chunk-2-6": "after\n", "result": result}
	tests := []struct {
		name   string
		files  map[string]string // of the job's directory
		locked bool              // its process lives
		file   string            // a file of the job in the present format, after a conversion that was interrupted
		old    bool              // the directory is old
		want   string            // what is claimed: the ID, chunks, lost chunks, exit status
		left   []string          // files in the end
	}{
		{name: "with a result", files: whole, want: "J/1 [{2 6 6}] 0 5"},
		{name: "without a result", files: map[string]string{"lock": "", "job": job, "result": "", "chunk-1-0": "a", "chunk-2-1": ""}, want: "J/1 [{1 0 1}] 1 -"},
		{name: "no chunks", files: map[string]string{"lock": "", "job": job, "result": result}, want: "J/1 [] 0 5"},
		{name: "its process lives", files: whole, locked: true, left: []string{dir1}},
		{name: "the conversion was interrupted", files: whole, file: "part of a fra", want: "J/1 [{2 6 6}] 0 5"},
		{name: "job damaged", files: map[string]string{"lock": "", "job": strings.Replace(job, "secret", "Secret", 1)}, left: []string{"bad-" + dir1}},
		{name: "job too large", files: map[string]string{"lock": "", "job": strings.Repeat("x", maxRecord+1)}, left: []string{"bad-" + dir1}},
		{name: "result damaged", files: map[string]string{"lock": "", "job": job, "result": result[1:]}, want: "J/1 [] 0 -"},
		{name: "being created", files: map[string]string{"lock": ""}, left: []string{dir1}},
		{name: "never created", files: map[string]string{"lock": ""}, old: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if err := os.Chmod(dir, ownerOnly); err != nil {
				t.Fatal(err)
			}
			put := func(name, content string) {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), ownerOnlyFile); err != nil {
					t.Fatal(err)
				}
			}
			if err := os.Mkdir(filepath.Join(dir, dir1), ownerOnly); err != nil {
				t.Fatal(err)
			}
			for name, content := range tt.files {
				put(filepath.Join(dir1, name), content)
			}
			if tt.file != "" {
				put("job-previous-J_1-1234", tt.file)
			}
			if tt.old {
				hourAgo := time.Now().Add(-time.Hour)
				if err := os.Chtimes(filepath.Join(dir, dir1), hourAgo, hourAgo); err != nil {
					t.Fatal(err)
				}
			}
			if tt.locked {
				lock := flock.New(filepath.Join(dir, dir1, "lock"))
				if ok, err := lock.TryLock(); !ok || err != nil {
					t.Fatal(ok, err)
				}
				defer func() { _ = lock.Close() }()
			}
			s := open(t, dir, nil)
			var got string
			for range 2 {
				for e := range s.Undelivered() {
					chunks, lost := e.Chunks()
					status := "-"
					if r, ok := e.Result(); ok {
						status = r.ExitStatus
					}
					got += fmt.Sprint(e.Job.ID, " ", chunks, " ", lost, " ", status)
					for _, c := range chunks {
						if data, err := e.Read(c, nil); err != nil || string(data) != tt.files[chunkName(c.Sequence, c.Offset)] {
							t.Errorf("chunk %v: %q, %v", c, data, err)
						}
					}
					if err := e.Remove(); err != nil {
						t.Error(err)
					}
				}
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			left := slices.DeleteFunc(names(t, dir), func(name string) bool { return name == allLock })
			if got != tt.want || !slices.Equal(left, tt.left) {
				t.Errorf("claimed %q, want %q; left %v, want %v", got, tt.want, left, tt.left)
			}
		})
	}
}
