//go:build unix

package joblink

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestRedact sends several requests at once, and checks what the agent receives
// and what the commands get.
func TestRedact(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no more")
	var (
		mu       sync.Mutex
		received []string
	)
	server, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	link := server.Add(func(secrets []string) error {
		mu.Lock()
		defer mu.Unlock()
		if slices.Contains(secrets, "refuse") {
			return refusal
		}
		received = append(received, secrets...)
		return nil
	})
	if info, err := os.Stat(server.Dir()); err != nil || info.Mode() != fs.ModeDir|0o700 {
		t.Errorf("the directory of the socket has mode %v: %v", info.Mode(), err)
	}
	const count = 20
	var requests sync.WaitGroup
	for range count {
		requests.Go(func() {
			if err := Redact(t.Context(), link.Address(), []string{"\xff\x00", "b"}); err != nil {
				t.Error(err)
			}
		})
	}
	requests.Wait()
	if want := slices.Repeat([]string{"\xff\x00", "b"}, count); !slices.Equal(received, want) {
		t.Errorf("received %q", received)
	}
	if err := Redact(t.Context(), link.Address(), []string{"refuse"}); err == nil || !strings.Contains(err.Error(), "no more") {
		t.Errorf("Redact: %v, want %q", err, refusal)
	}
}

// TestInvalidRequest gets an error for bytes that are not a request.
func TestInvalidRequest(t *testing.T) {
	t.Parallel()
	server, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	conn, err := net.Dial("unix", server.path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	var resp response
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(conn).Decode(&resp); err != nil || resp.Error == "" {
		t.Errorf("response %q: %v", resp.Error, err)
	}
}

// TestClose closes silent connections and removes the socket's directory.
func TestClose(t *testing.T) {
	t.Parallel()
	server, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	for range maxConnections + 1 { // none sends a request, and one waits for a slot
		conn, err := net.Dial("unix", server.path)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
	}
	server.Close()
	if _, err := os.Stat(filepath.Dir(server.path)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory still exists: %v", err)
	}
	if err := Redact(t.Context(), server.path, []string{"a"}); err == nil {
		t.Error("a closed server responds")
	}
}

// TestJobs has several jobs on one socket: a request reaches its own, and none after its
// end, nor one without the job's key.
func TestJobs(t *testing.T) {
	t.Parallel()
	server, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	var got [2][]string
	var links [2]*Link
	for i := range links {
		links[i] = server.Add(func(secrets []string) error {
			got[i] = append(got[i], secrets...)
			return nil
		})
	}
	if err := Redact(t.Context(), links[1].Address(), []string{"b"}); err != nil || got[0] != nil || !slices.Equal(got[1], []string{"b"}) {
		t.Errorf("got %q, %v", got, err)
	}
	links[1].Close()
	for _, address := range []string{links[1].Address(), server.path, server.path + "#", server.path + "#x"} {
		if err := Redact(t.Context(), address, []string{"c"}); err == nil || !strings.Contains(err.Error(), "the job has ended") {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := Redact(t.Context(), links[0].Address(), []string{"a"}); err != nil || !slices.Equal(got[0], []string{"a"}) {
		t.Errorf("got %q, %v", got, err)
	}
}

// TestRedactCanceled cancels the wait for an agent that does not respond. The
// error is the context's cause.
func TestRedactCanceled(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "socket")
	silent, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	canceled := errors.New("canceled by the test")
	go func() {
		if conn, err := silent.Accept(); err == nil {
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 1))
			cancel(canceled)
			<-ctx.Done()
		}
	}()
	if err := Redact(ctx, path, []string{"a"}); !errors.Is(err, canceled) {
		t.Errorf("Redact: %v", err)
	}
}
