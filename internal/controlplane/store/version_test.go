package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// century is a time of keeping that no test outlives: that of the stored version 1.
const century = 100 * 365 * 24 * time.Hour

// unpack unpacks an archive of a store into a data directory.
func unpack(t *testing.T, archive string) (dataDir string) {
	t.Helper()
	dataDir = t.TempDir()
	root, err := os.OpenRoot(dataDir)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = root.Close() }()
	file, err := os.Open(archive)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	packed, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	for files := tar.NewReader(packed); ; {
		entry, err := files.Next()
		if errors.Is(err, io.EOF) {
			return dataDir
		}
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(storeFolder, filepath.FromSlash(entry.Name))
		if entry.Typeflag == tar.TypeDir {
			if err := root.MkdirAll(name, dirMode); err != nil {
				t.Fatal(err)
			}
			continue
		}
		data, err := io.ReadAll(files)
		if err == nil {
			err = root.WriteFile(name, data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// A store that version 1 has written is read, changed, and has the present version
// from then on.
func TestVersion1IsRead(t *testing.T) {
	opts := Options{DataDir: unpack(t, "testdata/version1.tar.gz"), Retention: century, WorkerRetention: century}
	for range 2 {
		s := openTest(t, opts)
		const id = "0193a000-0000-7000-8000-00000000000"
		states := map[string]wire.JobState{id + "1": wire.StateFinished, id + "2": wire.StateQueued, id + "3": wire.StateRunning}
		for id, state := range states {
			job, err := s.Job(t.Context(), id)
			if err != nil || job.State != state || len(job.History.Entries) == 0 || job.Queue != "default" {
				t.Errorf("job %s is %+v, %v", id, job, err)
			}
			if _, err := s.PutJob(t.Context(), job); err != nil {
				t.Errorf("changing job %s: %v", id, err)
			}
		}
		if worker, err := s.Worker(t.Context(), "0193a000-0000-7000-8000-0000000000aa"); err != nil || worker.State != workerstate.Available || worker.TokenHash[0] != 1 {
			t.Errorf("the worker is %+v, %v", worker, err)
		}
		if key, err := s.Key(t.Context(), "build-1"); err != nil || key.JobID != id+"1" || !key.Over {
			t.Errorf("the key is %+v, %v", key, err)
		}
		if c, err := s.LastChunk(t.Context(), id+"1"); err != nil || string(c.Data) != "hello\nworld\n" {
			t.Errorf("the log is %q, %v", c.Data, err)
		}
		if m, err := s.Metadata(t.Context(), id+"1"); err != nil || m.Values["release"] != "1.2" {
			t.Errorf("the meta-data is %+v, %v", m, err)
		}
		if got := s.state.CachedInfo().Config.Metadata[versionKey]; got != "2" {
			t.Errorf("the store has version %q", got)
		}
		s.Close()
	}
}

// A store of a newer version, and one whose restore did not complete, are refused with
// what to do, and left as they are.
func TestStoreIsRefused(t *testing.T) {
	for name, row := range map[string]struct{ key, value, want string }{
		"newer version":      {versionKey, "3", "newer version of this program (version 3 of the store"},
		"not a version":      {versionKey, "x", "newer version of this program (version x of the store"},
		"incomplete restore": {restoringKey, "true", "did not complete; remove that store and restore again"},
	} {
		t.Run(name, func(t *testing.T) {
			opts := Options{DataDir: t.TempDir()}
			s := openTest(t, opts)
			config := s.state.CachedInfo().Config
			config.Metadata[row.key] = row.value
			if _, err := s.js.UpdateStream(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			s.Close()
			for range 2 {
				if s, err := Open(t.Context(), opts); err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), opts.DataDir) {
					t.Errorf("opening: %v", err)
					if err == nil {
						s.Close()
					}
				}
			}
		})
	}
}

// A restored store has every record with its headers, what was acknowledged while the
// backup was made included, and only what has not expired.
func TestBackupAndRestore(t *testing.T) {
	s := openTest(t, Options{DataDir: unpack(t, "testdata/version1.tar.gz"), Retention: century, WorkerRetention: century})
	for n := range uint64(100) {
		c := wire.Chunk{Sequence: n + 2, Offset: 12 + n, Data: []byte("x")}
		if _, err := s.AppendChunk(t.Context(), "0193a000-0000-7000-8000-000000000001", c); err != nil {
			t.Fatal(err)
		}
	}
	var messages []Message
	if err := s.Backup(t.Context(), func(m Message) error {
		m.Data = bytes.Clone(m.Data)
		messages = append(messages, m)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if len(messages) != 3+1+1+1+101 {
		t.Errorf("%d records in the backup", len(messages))
	}
	expired := messages[0]
	expired.Subject, expired.Header = jobPrefix+"expired", map[string]string{"Nats-TTL": "1h0m0s"}
	expired.StoredAt = time.Now().Add(-2 * time.Hour)
	restore := func(opts Options, fail error) (int, error) {
		rest := append([]Message{expired}, messages...)
		return Restore(t.Context(), opts, func() (Message, bool, error) {
			if len(rest) == 0 {
				return Message{}, false, fail
			}
			m := rest[0]
			rest = rest[1:]
			return m, true, nil
		})
	}
	opts := Options{DataDir: t.TempDir(), Retention: century, WorkerRetention: century}
	if n, err := restore(opts, nil); err != nil || n != len(messages) {
		t.Fatalf("restored %d records, %v", n, err)
	}
	if _, err := restore(opts, nil); err == nil || !strings.Contains(err.Error(), "restore into an empty one") {
		t.Errorf("restoring again: %v", err)
	}
	r := openTest(t, opts)
	if _, err := r.Job(t.Context(), "expired"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a record that has expired: %v", err)
	}
	var again []Message
	if err := r.Backup(t.Context(), func(m Message) error {
		m.Data, m.StoredAt = bytes.Clone(m.Data), time.Time{}
		again = append(again, m)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for i := range again {
		if i >= len(messages) || again[i].Subject != messages[i].Subject || !bytes.Equal(again[i].Data, messages[i].Data) ||
			(again[i].Header["Nats-TTL"] == "") != (messages[i].Header["Nats-TTL"] == "") {
			t.Fatalf("record %d is %s, want %s", i, again[i].Subject, messages[min(i, len(messages)-1)].Subject)
		}
	}
	if len(again) != len(messages) {
		t.Errorf("%d records, want %d", len(again), len(messages))
	}

	failing := Options{DataDir: t.TempDir()}
	if _, err := restore(failing, errors.New("the file ends early")); err == nil {
		t.Error("a restore that fails succeeds")
	}
	if _, err := Open(t.Context(), failing); err == nil || !strings.Contains(err.Error(), "did not complete") {
		t.Errorf("opening the store of a restore that failed: %v", err)
	}
}
