package joblink

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

const (
	// Variable is the environment variable with the path of the job's socket.
	Variable = "SWITCHYARD_JOB_SOCKET"

	dirPrefix = "switchyard-job-" // of the name of a directory for sockets

	maxConnections = 8                      // served at once; others wait
	maxRequest     = 8 << 20                // bytes of a request
	requestTimeout = 10 * time.Second       // for each connection
	acceptPause    = 100 * time.Millisecond // after an error of accept
	nameLength     = 12                     // of a socket's random name
	maxDirLength   = 60                     // keeps the path of a socket below 104 bytes, a system limit
)

// request is what a command asks for. Secrets are bytes because they need not be
// UTF-8.
type request struct {
	Redact [][]byte `json:"redact"`
}

type response struct {
	Error string `json:"error,omitempty"`
}

// Server is the agent's end for one job.
type Server struct {
	redact   func(secrets []string) error
	path     string
	ownDir   string // removed on Close; empty if the directory is the caller's
	listener net.Listener
	cancel   context.CancelFunc // closes all connections
	serving  sync.WaitGroup
}

// MakeDir creates a directory for sockets that is private to this user. A process
// that runs many jobs creates one for all of them, which is faster, and removes it
// at its end. The error wraps [errors.ErrUnsupported] on Windows.
func MakeDir() (string, error) {
	if runtime.GOOS == "windows" {
		return "", fmt.Errorf("job sockets on Windows: %w", errors.ErrUnsupported)
	}
	parent := os.TempDir()
	if len(parent) > maxDirLength {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, dirPrefix+"*") // only its owner has access
	if err != nil {
		return "", fmt.Errorf("creating a directory for job sockets: %w", err)
	}
	return dir, nil
}

// IsDir reports whether a path has the name of a directory of [MakeDir].
func IsDir(path string) bool { return strings.HasPrefix(filepath.Base(path), dirPrefix) }

// Listen creates a socket in dir, or in a directory of its own if dir is empty,
// and serves it until Close. It calls redact with the secrets of each request,
// from several goroutines, and sends its error to the command. The error of Listen
// wraps [errors.ErrUnsupported] on Windows.
func Listen(dir string, redact func(secrets []string) error) (*Server, error) {
	ownDir := ""
	if dir == "" {
		var err error
		if ownDir, err = MakeDir(); err != nil {
			return nil, err
		}
		dir = ownDir
	}
	s := &Server{redact: redact, path: filepath.Join(dir, rand.Text()[:nameLength]), ownDir: ownDir}
	if err := s.listen(); err != nil {
		s.removeDir()
		return nil, err
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	s.serving.Go(func() { s.accept(ctx) })
	return s, nil
}

func (s *Server) listen() error {
	var err error
	if s.listener, err = net.Listen("unix", s.path); err != nil { //nolint:noctx // it does not block
		return fmt.Errorf("listening on the job's socket: %w", err)
	}
	if err := os.Chmod(s.path, 0o600); err != nil {
		_ = s.listener.Close()
		return fmt.Errorf("making the job's socket private: %w", err)
	}
	return nil
}

// Path returns the path of the socket.
func (s *Server) Path() string { return s.path }

// Close closes all connections and removes the socket.
func (s *Server) Close() {
	s.cancel()
	_ = s.listener.Close() // removes the socket
	s.serving.Wait()
	s.removeDir()
}

// removeDir removes the server's own directory. If that fails, an empty directory
// stays among the temporary files.
func (s *Server) removeDir() {
	if s.ownDir != "" {
		_ = os.Remove(s.ownDir)
	}
}

func (s *Server) accept(ctx context.Context) {
	slots := make(chan struct{}, maxConnections)
	for {
		slots <- struct{}{}
		conn, err := s.listener.Accept()
		if err != nil { // closed, or temporarily out of file descriptors
			<-slots
			select {
			case <-ctx.Done():
				return
			case <-time.After(acceptPause):
				continue
			}
		}
		s.serving.Go(func() {
			defer func() { <-slots }()
			s.serve(ctx, conn)
		})
	}
}

// serve handles the one request of a connection, and closes it.
func (s *Server) serve(ctx context.Context, conn net.Conn) {
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_ = conn.SetDeadline(time.Now().Add(requestTimeout))
	var resp response
	var req request
	if err := json.NewDecoder(io.LimitReader(conn, maxRequest)).Decode(&req); err != nil {
		resp.Error = fmt.Sprintf("invalid request: %v", err)
	} else if err := s.redact(toStrings(req.Redact)); err != nil {
		resp.Error = err.Error()
	}
	_ = json.NewEncoder(conn).Encode(resp) //nolint:errchkjson // without a response, the command reports an error
}

func toStrings(secrets [][]byte) []string {
	all := make([]string, len(secrets))
	for i, secret := range secrets {
		all[i] = string(secret)
	}
	return all
}
