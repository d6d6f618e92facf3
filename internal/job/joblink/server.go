package joblink

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"
)

const (
	// Variable is the name of the job's variable with the path of the socket.
	Variable = "SWITCHYARD_JOB_SOCKET"

	// maxConnections is how many are served at once; others wait.
	maxConnections = 8
	// maxRequest is the most bytes that are read of a request.
	maxRequest = 8 << 20
	// patience bounds each connection: nobody holds one of the few for ever.
	patience = 10 * time.Second
	// pause is the time until the next try when a connection could not be
	// taken.
	pause = 100 * time.Millisecond
	// nameLength is how much of a random text, of 32 letters and digits, keeps
	// the sockets of a folder apart.
	nameLength = 12
	// maxFolder keeps the path below what the address of a socket holds, 104
	// bytes on some systems.
	maxFolder = 60
)

// request is what a command asks. Bytes, and not a string, as a secret need not
// be UTF-8.
type request struct {
	Redact [][]byte `json:"redact"`
}

type answer struct {
	Error string `json:"error,omitempty"`
}

// Server is the agent's end, for one job.
type Server struct {
	redact   func(secrets []string) error
	path     string
	folder   string // to be removed with the socket; empty if it is the caller's
	listener net.Listener
	room     chan struct{}
	serving  sync.WaitGroup

	closing chan struct{}

	mu     sync.Mutex
	open   map[net.Conn]struct{}
	closed bool
}

// Folder makes a folder for sockets, private to this user. Who runs many jobs
// makes one for all of them, which takes less time than one for each, and
// removes it.
func Folder() (string, error) {
	if runtime.GOOS == "windows" {
		return "", fmt.Errorf("jobs' sockets on Windows: %w", errors.ErrUnsupported)
	}
	parent := os.TempDir()
	if len(parent) > maxFolder {
		parent = "/tmp"
	}
	folder, err := os.MkdirTemp(parent, "switchyard-job-*") // for its owner alone
	if err != nil {
		return "", fmt.Errorf("making a folder for jobs' sockets: %w", err)
	}
	return folder, nil
}

// Listen makes a socket in the folder, or in one of its own if folder is empty,
// and serves it until Close. redact is called with what a command wants to be
// hidden, from several goroutines; the command is told when it has returned,
// and what it has answered.
//
// The error is [errors.ErrUnsupported] on a system that has no such sockets.
func Listen(folder string, redact func(secrets []string) error) (*Server, error) {
	own := ""
	if folder == "" {
		var err error
		if own, err = Folder(); err != nil {
			return nil, err
		}
		folder = own
	}
	s := &Server{
		redact:  redact,
		path:    filepath.Join(folder, rand.Text()[:nameLength]),
		folder:  own,
		room:    make(chan struct{}, maxConnections),
		open:    map[net.Conn]struct{}{},
		closing: make(chan struct{}),
	}
	if err := s.listen(); err != nil {
		s.remove()
		return nil, err
	}
	s.serving.Go(s.accept)
	return s, nil
}

func (s *Server) listen() error {
	var err error
	if s.listener, err = net.Listen("unix", s.Path()); err != nil { //nolint:noctx // it does not wait
		return fmt.Errorf("listening for the job's commands: %w", err)
	}
	const ownerOnly = 0o600
	if err := os.Chmod(s.Path(), ownerOnly); err != nil {
		_ = s.listener.Close()
		return fmt.Errorf("making the job's socket private: %w", err)
	}
	return nil
}

// Path is the path of the socket.
func (s *Server) Path() string { return s.path }

// Close ends all connections and removes the socket.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	close(s.closing)
	for conn := range s.open {
		_ = conn.Close()
	}
	s.mu.Unlock()
	_ = s.listener.Close() // which removes the socket
	s.serving.Wait()
	s.remove()
}

// remove removes the folder. If that fails, what stays behind is empty, and
// among the temporary files.
func (s *Server) remove() {
	if s.folder != "" {
		_ = os.Remove(s.folder)
	}
}

func (s *Server) accept() {
	for {
		s.room <- struct{}{}
		conn, err := s.listener.Accept()
		if err != nil { // it is closed; or descriptors are short, which passes
			<-s.room
			select {
			case <-s.closing:
				return
			case <-time.After(pause):
				continue
			}
		}
		if !s.keep(conn) {
			return
		}
		s.serving.Go(func() {
			defer func() { <-s.room }()
			defer s.drop(conn)
			s.serve(conn)
		})
	}
}

// keep notes a connection, so that Close can end it. It tells whether the
// server is still open.
func (s *Server) keep(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		_ = conn.Close()
		return false
	}
	s.open[conn] = struct{}{}
	return true
}

func (s *Server) drop(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, conn)
	_ = conn.Close()
}

// serve answers one request.
func (s *Server) serve(conn net.Conn) {
	_ = conn.SetDeadline(time.Now().Add(patience))
	var asked request
	if err := json.NewDecoder(io.LimitReader(conn, maxRequest)).Decode(&asked); err != nil {
		tell(conn, answer{Error: fmt.Sprintf("the request cannot be read: %v", err)})
		return
	}
	secrets := make([]string, len(asked.Redact))
	for i, secret := range asked.Redact {
		secrets[i] = string(secret)
	}
	var said answer
	if err := s.redact(secrets); err != nil {
		said.Error = err.Error()
	}
	tell(conn, said)
}

func tell(conn net.Conn, said answer) {
	if err := json.NewEncoder(conn).Encode(said); err != nil {
		_ = conn.Close() // the command will say that it has no answer
	}
}
