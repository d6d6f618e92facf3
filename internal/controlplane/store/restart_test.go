package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"
)

// startExternal is a NATS server of the kind that an operator runs, on loopback.
func startExternal(t *testing.T) *server.Server {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, JetStream: true, StoreDir: t.TempDir(), NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(10 * time.Second) {
		t.Fatal("the server is not ready")
	}
	return srv
}

func TestEverythingIsThereAfterReopening(t *testing.T) {
	for name, opts := range map[string]func(*testing.T) Options{
		"embedded": func(t *testing.T) Options { return Options{DataDir: t.TempDir()} },
		"external": func(t *testing.T) Options { return Options{URL: startExternal(t).ClientURL()} },
	} {
		t.Run(name, func(t *testing.T) {
			opts := opts(t)
			s := openTest(t, opts)
			job, err := s.PutJob(t.Context(), Job{ID: "j", Command: []string{"true"}, State: JobRunning, TokenHashes: [][]byte{{1, 2}}})
			if err != nil {
				t.Fatal(err)
			}
			agent, err := s.PutAgent(t.Context(), Agent{ID: "a", Name: "n", State: AgentConnected, TokenHash: []byte{3}})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.AppendLog(t.Context(), "j", Chunk{Sequence: 1, Data: []byte("hello")}); err != nil {
				t.Fatal(err)
			}
			s.Close()

			s = openTest(t, opts)
			gotJob, err := s.Job(t.Context(), "j")
			if err != nil {
				t.Fatal(err)
			}
			gotAgent, err := s.Agent(t.Context(), "a")
			if err != nil {
				t.Fatal(err)
			}
			chunk, err := s.LastChunk(t.Context(), "j")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(job, gotJob); diff != "" {
				t.Errorf("job (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(agent, gotAgent); diff != "" {
				t.Errorf("agent (-want +got):\n%s", diff)
			}
			if string(chunk.Data) != "hello" {
				t.Errorf("log: got %q", chunk.Data)
			}
			job.State = JobFinished
			if _, err := s.PutJob(t.Context(), job); err != nil {
				t.Errorf("the revision does not hold after reopening: %v", err)
			}
		})
	}
}
