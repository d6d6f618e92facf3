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
	// Variable is the environment variable with the address of the job's agent.
	Variable = "SWITCHYARD_JOB_SOCKET"

	dirPrefix  = "switchyard-job-" // of the name of a directory for a socket
	socketName = "s"

	maxConnections = 256                    // served at once; others wait
	maxRequest     = 8 << 20                // bytes of a request
	requestTimeout = 10 * time.Second       // for each connection
	acceptPause    = 100 * time.Millisecond // after an error of accept
	maxDirLength   = 60                     // keeps the path of a socket below 104 bytes, a system limit
	keySeparator   = "#"                    // between the path of the socket and the key
)

// request is what a command asks for. Secrets are bytes because they need not be
// UTF-8.
type request struct {
	Key    string   `json:"key"`
	Redact [][]byte `json:"redact"`
}

type response struct {
	Error string `json:"error,omitempty"`
}

// Server is the agent's end for all of its jobs. Its methods may be called concurrently.
type Server struct {
	path     string
	listener net.Listener
	cancel   context.CancelFunc // closes all connections
	serving  sync.WaitGroup

	mu   sync.Mutex
	jobs map[string]*Link // by key
}

// Link is the agent's end for one job.
type Link struct {
	server *Server
	key    string
	redact func(secrets []string) error
}

// IsDir reports whether a path has the name of a directory of [Listen].
func IsDir(path string) bool { return strings.HasPrefix(filepath.Base(path), dirPrefix) }

// Listen creates a socket in a directory that is private to this user, and serves it
// until Close. The error wraps [errors.ErrUnsupported] on Windows.
func Listen() (*Server, error) {
	dir, err := makeDir()
	if err != nil {
		return nil, err
	}
	s := &Server{path: filepath.Join(dir, socketName), jobs: map[string]*Link{}}
	if s.listener, err = net.Listen("unix", s.path); err != nil { //nolint:noctx // it does not block
		_ = os.Remove(dir)
		return nil, fmt.Errorf("listening on the socket for jobs: %w", err)
	}
	var ctx context.Context
	ctx, s.cancel = context.WithCancel(context.Background())
	s.serving.Go(func() { s.accept(ctx) })
	return s, nil
}

// makeDir creates the directory of a socket.
func makeDir() (string, error) {
	if runtime.GOOS == "windows" {
		return "", fmt.Errorf("job sockets on Windows: %w", errors.ErrUnsupported)
	}
	parent := os.TempDir()
	if len(parent) > maxDirLength {
		parent = "/tmp"
	}
	dir, err := os.MkdirTemp(parent, dirPrefix+"*") // only its owner has access
	if err != nil {
		return "", fmt.Errorf("creating a directory for the socket of jobs: %w", err)
	}
	return dir, nil
}

// Dir returns the directory of the socket, which Close removes.
func (s *Server) Dir() string { return filepath.Dir(s.path) }

// Add adds a job until the link is closed. It calls redact with the secrets of each
// request, from several goroutines, and sends its error to the command.
func (s *Server) Add(redact func(secrets []string) error) *Link {
	l := &Link{server: s, key: rand.Text(), redact: redact}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.jobs[l.key] = l
	return l
}

// Address returns the value of [Variable] for the job.
func (l *Link) Address() string { return l.server.path + keySeparator + l.key }

// Close removes the job: its commands get an error from now on.
func (l *Link) Close() {
	l.server.mu.Lock()
	defer l.server.mu.Unlock()
	delete(l.server.jobs, l.key)
}

// Close closes all connections and removes the socket.
func (s *Server) Close() {
	s.cancel()
	_ = s.listener.Close() // removes the socket
	s.serving.Wait()
	_ = os.Remove(s.Dir()) // if it fails, an empty directory stays among the temporary files
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
	} else if err := s.handle(req); err != nil {
		resp.Error = err.Error()
	}
	_ = json.NewEncoder(conn).Encode(resp) //nolint:errchkjson // without a response, the command reports an error
}

// handle handles the request of a job.
func (s *Server) handle(req request) error {
	s.mu.Lock()
	job, ok := s.jobs[req.Key]
	s.mu.Unlock()
	if !ok {
		return errors.New("the job has ended")
	}
	return job.redact(toStrings(req.Redact))
}

func toStrings(secrets [][]byte) []string {
	all := make([]string, len(secrets))
	for i, secret := range secrets {
		all[i] = string(secret)
	}
	return all
}
