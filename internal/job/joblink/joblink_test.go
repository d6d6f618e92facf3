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

// TestRedact has commands ask, several at once, and looks at what the agent
// hears and what they are told.
func TestRedact(t *testing.T) {
	t.Parallel()
	refusal := errors.New("no more")
	var (
		mu    sync.Mutex
		heard []string
	)
	server, err := Listen("", func(secrets []string) error {
		mu.Lock()
		defer mu.Unlock()
		if slices.Contains(secrets, "refuse") {
			return refusal
		}
		heard = append(heard, secrets...)
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
	var asking sync.WaitGroup
	for range 3 * maxConnections {
		asking.Go(func() {
			if err := Redact(t.Context(), server.Path(), []string{"\xff\x00", "b"}); err != nil {
				t.Error(err)
			}
		})
	}
	asking.Wait()
	if want := slices.Repeat([]string{"\xff\x00", "b"}, 3*maxConnections); !slices.Equal(heard, want) {
		t.Errorf("heard %q", heard)
	}
	if err := Redact(t.Context(), server.Path(), []string{"refuse"}); err == nil || !strings.Contains(err.Error(), "no more") {
		t.Errorf("Redact: %v, which does not say %q", err, refusal)
	}
}

// TestNonsense answers what is no request.
func TestNonsense(t *testing.T) {
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
	var said answer
	if _, err := conn.Write([]byte("GET / HTTP/1.1\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if err := json.NewDecoder(conn).Decode(&said); err != nil || said.Error == "" {
		t.Errorf("answered %q: %v", said.Error, err)
	}
}

// TestClose ends what hangs, and leaves nothing.
func TestClose(t *testing.T) {
	t.Parallel()
	server, err := Listen("", func([]string) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	for range maxConnections + 1 { // all that are served say nothing, and one waits
		conn, err := net.Dial("unix", server.Path())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
	}
	server.Close()
	if _, err := os.Stat(filepath.Dir(server.Path())); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder is still there: %v", err)
	}
	if err := Redact(t.Context(), server.Path(), []string{"a"}); err == nil {
		t.Error("a closed server answers")
	}
}

// TestFolder has several jobs share a folder, which stays when they end.
func TestFolder(t *testing.T) {
	t.Parallel()
	folder, err := Folder()
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(folder)
	var servers []*Server
	for range 2 {
		server, err := Listen(folder, func([]string) error { return nil })
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
			t.Errorf("the socket is still there: %v", err)
		}
	}
	if _, err := os.Stat(folder); err != nil {
		t.Error(err)
	}
}

// TestRedactGivesUp ends the wait for an agent that does not answer, with the
// context's cause.
func TestRedactGivesUp(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "socket")
	mute, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer mute.Close()
	ctx, cancel := context.WithCancelCause(t.Context())
	tired := errors.New("tired")
	go func() {
		if conn, err := mute.Accept(); err == nil {
			defer conn.Close()
			_, _ = conn.Read(make([]byte, 1))
			cancel(tired)
			<-ctx.Done()
		}
	}()
	if err := Redact(ctx, path, []string{"a"}); !errors.Is(err, tired) {
		t.Errorf("Redact: %v", err)
	}
}
