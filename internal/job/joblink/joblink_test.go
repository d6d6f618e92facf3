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
	server, err := Listen("", func(secrets []string) error {
		mu.Lock()
		defer mu.Unlock()
		if slices.Contains(secrets, "refuse") {
			return refusal
		}
		received = append(received, secrets...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for path, want := range map[string]fs.FileMode{
		server.Path(): fs.ModeSocket | 0o600, filepath.Dir(server.Path()): fs.ModeDir | 0o700,
	} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: mode %v, want %v: %v", path, info.Mode(), want, err)
		}
	}
	var requests sync.WaitGroup
	for range 3 * maxConnections {
		requests.Go(func() {
			if err := Redact(t.Context(), server.Path(), []string{"\xff\x00", "b"}); err != nil {
				t.Error(err)
			}
		})
	}
	requests.Wait()
	if want := slices.Repeat([]string{"\xff\x00", "b"}, 3*maxConnections); !slices.Equal(received, want) {
		t.Errorf("received %q", received)
	}
	if err := Redact(t.Context(), server.Path(), []string{"refuse"}); err == nil || !strings.Contains(err.Error(), "no more") {
		t.Errorf("Redact: %v, want %q", err, refusal)
	}
}

// TestInvalidRequest gets an error for bytes that are not a request.
func TestInvalidRequest(t *testing.T) {
	t.Parallel()
	server, err := Listen("", func([]string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	conn, err := net.Dial("unix", server.Path())
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
	server, err := Listen("", func([]string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for range maxConnections + 1 { // none sends a request, and one waits for a slot
		conn, err := net.Dial("unix", server.Path())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
	}
	server.Close()
	if _, err := os.Stat(filepath.Dir(server.Path())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the directory still exists: %v", err)
	}
	if err := Redact(t.Context(), server.Path(), []string{"a"}); err == nil {
		t.Error("a closed server responds")
	}
}

// TestSharedDir uses one directory for several jobs. It stays when they end.
func TestSharedDir(t *testing.T) {
	t.Parallel()
	dir, err := MakeDir()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	var servers []*Server
	for range 2 {
		server, err := Listen(dir, func([]string) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		servers = append(servers, server)
	}
	for _, server := range servers {
		if err := Redact(t.Context(), server.Path(), []string{"a"}); err != nil {
			t.Error(err)
		}
		server.Close()
		if _, err := os.Stat(server.Path()); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket still exists: %v", err)
		}
	}
	if _, err := os.Stat(dir); err != nil {
		t.Error(err)
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
