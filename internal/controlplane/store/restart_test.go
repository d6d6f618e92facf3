package store

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats-server/v2/server"

	"github.com/switchyard-ci/switchyard/internal/controlplane/lifecycle"
	"github.com/switchyard-ci/switchyard/internal/controlplane/record"
	"github.com/switchyard-ci/switchyard/internal/controlplane/token"
	"github.com/switchyard-ci/switchyard/internal/controlplane/workerstate"
	"github.com/switchyard-ci/switchyard/internal/freeport"
	"github.com/switchyard-ci/switchyard/internal/wire"
)

// startExternal starts a NATS server on loopback, as an operator would.
func startExternal(t *testing.T) *server.Server {
	t.Helper()
	return startExternalAt(t, server.RANDOM_PORT, t.TempDir())
}

func startExternalAt(t *testing.T, port int, dir string) *server.Server {
	t.Helper()
	srv, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: port, JetStream: true, StoreDir: dir, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	srv.Start()
	t.Cleanup(func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	})
	if !srv.ReadyForConnections(time.Minute) {
		t.Fatal("the server is not ready")
	}
	return srv
}

func TestRecordsSurviveReopening(t *testing.T) {
	for name, opts := range map[string]func(*testing.T) Options{
		"embedded": func(t *testing.T) Options { return Options{DataDir: t.TempDir()} },
		"external": func(t *testing.T) Options { return Options{URL: startExternal(t).ClientURL()} },
	} {
		t.Run(name, func(t *testing.T) {
			opts := opts(t)
			s := openTest(t, opts)
			job, err := s.PutJob(t.Context(), record.Job{ID: "j", Command: []string{"true"}, Job: lifecycle.Job{State: wire.StateRunning, Tokens: []string{token.Hash{1, 2}.String()}}})
			if err != nil {
				t.Fatal(err)
			}
			worker, err := s.PutWorker(t.Context(), record.Worker{ID: "a", Name: "n", TokenHash: token.Hash{3}, Worker: workerstate.Worker{State: workerstate.Available}})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := s.AppendChunk(t.Context(), "j", wire.Chunk{Sequence: 1, Data: []byte("hello")}); err != nil {
				t.Fatal(err)
			}
			s.Close()

			s = openTest(t, opts)
			gotJob, err := s.Job(t.Context(), "j")
			if err != nil {
				t.Fatal(err)
			}
			gotWorker, err := s.Worker(t.Context(), "a")
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
			if diff := cmp.Diff(worker, gotWorker); diff != "" {
				t.Errorf("worker (-want +got):\n%s", diff)
			}
			if string(chunk.Data) != "hello" {
				t.Errorf("log: got %q", chunk.Data)
			}
			job.State = wire.StateFinished
			if _, err := s.PutJob(t.Context(), job); err != nil {
				t.Errorf("the revision does not hold after reopening: %v", err)
			}
		})
	}
}

// A watch survives a restart of the external server and receives what is stored
// afterwards; OnReconnect reports that signals may have been missed.
func TestWatchSurvivesARestartOfTheServer(t *testing.T) {
	ports, err := freeport.Ports(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	srv := startExternalAt(t, ports[0], dir)
	s := openTest(t, Options{URL: srv.ClientURL()})
	interrupted := make(chan struct{}, 10)
	s.OnReconnect(func() { interrupted <- struct{}{} })
	job, err := s.PutJob(t.Context(), record.Job{ID: "before", Job: lifecycle.Job{State: wire.StateQueued}})
	if err != nil {
		t.Fatal(err)
	}
	w := watch(t.Context(), s)
	if got := w.next(t); got != "job before queued <nil>" {
		t.Fatalf("got %q", got)
	}
	srv.Shutdown()
	srv.WaitForShutdown()
	startExternalAt(t, ports[0], dir)
	<-interrupted
	job.State = wire.StateAssigned
	if _, err := s.PutJob(t.Context(), job); err != nil {
		t.Fatal(err)
	}
	if got := w.next(t); got != "job before assigned <nil>" {
		t.Errorf("after the restart the watch gave %q", got)
	}
}
