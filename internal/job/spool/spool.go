package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"go.uber.org/zap"
)

const (
	ownerOnly     = 0o700
	ownerOnlyFile = 0o600
	groupOrOthers = 0o022 // write permission
)

// MaxAge is how long delivery is tried, from the start of a job. By then a control
// plane has forgotten the job.
const MaxAge = 7 * 24 * time.Hour

// MaxNameLen is the most bytes of an ID in a file name. The paths of sockets, which
// some tools create below it, are limited.
const MaxNameLen = 40

// SafeName returns at most MaxNameLen bytes of an ID from outside, with every
// character replaced that is not harmless in a path.
func SafeName(id string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		default:
			return '_'
		}
	}, id)
	return name[:min(len(name), MaxNameLen)]
}

// Spool is a directory of jobs. Its methods may be called concurrently, and by
// several processes.
type Spool struct {
	dir     string
	owner   string       // this process, in the names of its jobs
	lock    *flock.Flock // of this process
	logger  *zap.Logger
	commits commits

	mu   sync.Mutex
	held map[string]bool // the files of this process that an Entry holds, or that are free, by name
	free []freeFile
}

// freeFile is an empty file of this process, for a later job: to make and to remove a
// file costs more than all that is written for a short job.
type freeFile struct {
	name string
	file *os.File
}

// maxFree is the most free files.
const maxFree = 64

// Open opens a spool and creates its directory if it is missing. It returns an
// error if other users can write to the directory, because its content is
// reported in the agent's name. A nil logger logs nothing. The caller must call Close.
func Open(dir string, logger *zap.Logger) (*Spool, error) {
	if logger == nil {
		logger = zap.NewNop()
	}
	if err := os.MkdirAll(dir, ownerOnly); err != nil {
		return nil, fmt.Errorf("creating the spool: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	// Windows has no modes; there the directory has the permissions of its parent.
	if mode := info.Mode().Perm(); mode&groupOrOthers != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("the spool %s is writable by other users (mode %o): run chmod 700 on it, or use another directory", dir, mode)
	}
	s := &Spool{dir: dir, logger: logger, commits: commits{dir: dir, logger: logger}, held: map[string]bool{}}
	if err := s.enter(); err != nil {
		return nil, fmt.Errorf("opening the spool: %w", err)
	}
	return s, nil
}

// Close ends the ownership of this process: another one may deliver what is left. All
// entries must be closed.
func (s *Spool) Close() error {
	s.mu.Lock()
	free := s.free
	s.free = nil
	s.mu.Unlock()
	errs := make([]error, 0, len(free)+1)
	for _, f := range free {
		errs = append(errs, removeFile(f.file))
	}
	if err := errors.Join(append(errs, s.leave())...); err != nil {
		return fmt.Errorf("closing the spool: %w", err)
	}
	return nil
}

// Create adds a job. This process holds it until Close or Remove.
func (s *Spool) Create(job Job) (*Entry, error) {
	f, err := s.takeFile()
	if err != nil {
		return nil, fmt.Errorf("adding a job to the spool: %w", err)
	}
	e := &Entry{Job: job, spool: s, name: f.name, file: f.file}
	if err := e.fill(); err != nil {
		return nil, errors.Join(fmt.Errorf("adding a job to the spool: %w", err), e.Remove())
	}
	return e, nil
}

// takeFile returns an empty file, which it holds.
func (s *Spool) takeFile() (freeFile, error) {
	s.mu.Lock()
	if n := len(s.free); n > 0 {
		f := s.free[n-1]
		s.free = s.free[:n-1]
		s.mu.Unlock()
		return f, nil
	}
	s.mu.Unlock()
	name := strings.ToLower(rand.Text())
	s.hold(name) // before there is a file, which Undelivered would find, and remove as incomplete
	file, err := os.OpenFile(filepath.Join(s.dir, jobName(s.owner, name)), os.O_CREATE|os.O_EXCL|os.O_RDWR, ownerOnlyFile)
	if err != nil {
		s.release(name)
		return freeFile{}, err //nolint:wrapcheck // the caller wraps it
	}
	return freeFile{name, file}, nil
}

// putFile keeps a file, whose job was removed, for a later one. It reports false if there
// are enough.
func (s *Spool) putFile(f freeFile) bool {
	if f.file.Truncate(0) != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.free) == maxFree {
		return false
	}
	s.free = append(s.free, f)
	return true
}

// removeFile closes and removes a file.
func removeFile(file *os.File) error {
	err := os.Remove(file.Name())
	closeErr := file.Close()
	if err != nil { // Windows removes no open file
		err = os.Remove(file.Name())
	}
	return errors.Join(err, closeErr)
}

// Undelivered claims the jobs that no living process holds, one after the other.
// The caller must call Close or Remove on each before it takes the next.
func (s *Spool) Undelivered() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		if err := s.adopt(); err != nil {
			s.logger.Error("could not look for jobs of earlier agents in the spool", zap.Error(err))
		}
		files, err := os.ReadDir(s.dir)
		if err != nil {
			s.logger.Error("could not read the spool", zap.Error(err))
			return
		}
		for _, file := range files {
			owner, name, ok := parseJobName(file.Name())
			if !ok || owner != s.owner || !s.hold(name) {
				continue
			}
			if e := s.claim(name); e != nil && !yield(e) {
				return
			}
		}
	}
}

// claim returns a job of this process, which it holds, or nil if it cannot be read.
func (s *Spool) claim(name string) *Entry {
	e := &Entry{spool: s, name: name}
	var err error
	if e.file, err = os.OpenFile(e.path(), os.O_RDWR, 0); err != nil { // removed since it was listed
		s.release(name)
		return nil
	}
	switch err := e.load(); {
	case err == nil:
		return e
	case e.size == 0 && isShort(e.file): // its process was killed when it created or removed the job
		err := errors.Join(removeFile(e.file), os.RemoveAll(e.logDir()))
		s.release(name)
		if err != nil {
			s.logger.Warn("could not remove an incomplete job from the spool", zap.String("file", e.path()), zap.Error(err))
		}
	default:
		e.Close()
		setAside(e.path(), err.Error(), s.logger)
	}
	return nil
}

// isShort reports whether a file has less than the beginning of a frame, or a frame
// without its end, and nothing else.
func isShort(file *os.File) bool {
	data := make([]byte, len(header))
	n, _ := file.ReadAt(data, 0) // what cannot be read is short
	return n < len(header)
}

// hold notes that an entry holds a job of this process. It reports false if one does
// already.
func (s *Spool) hold(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held[name] {
		return false
	}
	s.held[name] = true
	return true
}

// release notes that no entry holds a job any more.
func (s *Spool) release(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.held, name)
}
