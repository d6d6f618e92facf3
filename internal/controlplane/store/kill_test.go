package store

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// writerDir is set if the test binary is the writer of TestKilledWriter.
const writerDir = "SWITCHYARD_TEST_WRITER_DIR"

// writers is how many jobs the writer stores at a time, so that most are stored in
// batches.
const writers = 16

// TestWriter is not a test but the process that TestKilledWriter kills: it stores
// jobs and reports each, until it is killed.
func TestWriter(t *testing.T) {
	dir := os.Getenv(writerDir)
	if dir == "" {
		t.Skip("a part of TestKilledWriter")
	}
	s := openTest(t, Options{DataDir: dir})
	var all sync.WaitGroup
	for writer := range writers {
		all.Go(func() {
			for i := 0; ; i++ {
				storeOne(t, s, fmt.Sprint(os.Getpid(), "-", writer, "-", i))
			}
		})
	}
	all.Wait()
}

// storeOne stores a job twice and a chunk of its log, and reports the job.
func storeOne(t *testing.T, s *Store, id string) {
	job, err := s.PutJob(t.Context(), record.Job{ID: id, Command: []string{"true"}, Job: lifecycle.Job{State: wire.StateQueued}})
	if err == nil {
		_, err = s.AppendChunk(t.Context(), job.ID, wire.Chunk{Sequence: 1, Data: []byte(job.ID)})
	}
	if err == nil {
		job.State = wire.StateRunning
		job, err = s.PutJob(t.Context(), job)
	}
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stdout, "stored", job.ID, job.Revision)
}

// Acknowledged writes survive SIGKILL, and writing goes on afterwards.
func TestKilledWriter(t *testing.T) {
	dir := t.TempDir()
	for round := range 3 {
		self, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		writer := exec.CommandContext(t.Context(), self, "-test.run=^TestWriter$")
		writer.Env = append(os.Environ(), writerDir+"="+dir)
		out, err := writer.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := writer.Start(); err != nil {
			t.Fatal(err)
		}
		stored := map[string]uint64{}
		lines := bufio.NewScanner(out)
		for lines.Scan() {
			var id string
			var revision uint64
			if n, _ := fmt.Sscanf(lines.Text(), "stored %s %d", &id, &revision); n == 2 {
				stored[id] = revision
			}
			if len(stored) >= 100 {
				_ = writer.Process.Kill()
			}
		}
		_ = writer.Wait() // it was killed
		if len(stored) < 100 {
			t.Fatalf("the writer stored %d jobs only", len(stored))
		}
		s := openTest(t, Options{DataDir: dir})
		for id, revision := range stored {
			job, err := s.Job(t.Context(), id)
			if err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			if job.State != wire.StateRunning || job.Revision < revision {
				t.Errorf("job %s is %s at %d, was running at %d", id, job.State, job.Revision, revision)
			}
			if c, err := s.LastChunk(t.Context(), id); err != nil || string(c.Data) != id {
				t.Errorf("log of %s: %q, %v", id, c.Data, err)
			}
		}
		s.Close()
	}
}
