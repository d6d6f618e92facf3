package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"go.uber.org/zap"
)

const (
	ownerOnly     = 0o700
	ownerOnlyFile = 0o600
	groupOrOthers = 0o022 // write permission

	jobPrefix   = "job-"
	lockFile    = "lock"
	jobFile     = "job"
	removedFile = "gone" // jobFile under the name that it has while the job is removed
	resultFile  = "result"

	// maxCreation is the longest that the creation of a job may take. An older
	// directory without a job record belongs to no living process.
	maxCreation = time.Hour
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
	dir    string
	logger *zap.Logger
}

// Open opens a spool and creates its directory if it is missing. It returns an
// error if other users can write to the directory, because its content is
// reported in the agent's name. A nil logger logs nothing.
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
	return &Spool{dir: dir, logger: logger}, nil
}

// Create adds a job. This process holds it until Close or Remove.
func (s *Spool) Create(job Job) (*Entry, error) {
	dir, err := os.MkdirTemp(s.dir, jobPrefix+SafeName(job.ID)+"-*")
	if err != nil {
		return nil, fmt.Errorf("adding a job to the spool: %w", err)
	}
	e := &Entry{Job: job, dir: dir, logger: s.logger}
	if err := e.fill(); err != nil {
		e.unlock()
		_ = os.RemoveAll(dir) // if it fails, the directory is removed after maxCreation
		return nil, fmt.Errorf("adding a job to the spool: %w", err)
	}
	return e, nil
}

// Undelivered claims the jobs that no living process holds, one after the other.
// The caller must call Close or Remove on each before it takes the next.
func (s *Spool) Undelivered() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		dirs, err := os.ReadDir(s.dir)
		if err != nil {
			s.logger.Error("could not read the spool", zap.Error(err))
			return
		}
		for _, dir := range dirs {
			if !dir.IsDir() || !strings.HasPrefix(dir.Name(), jobPrefix) {
				continue
			}
			if e := s.claim(filepath.Join(s.dir, dir.Name())); e != nil && !yield(e) {
				return
			}
		}
	}
}

// claim returns the job in a directory, or nil if a process holds it or it cannot
// be read.
func (s *Spool) claim(dir string) *Entry {
	e := &Entry{dir: dir, logger: s.logger}
	if !exists(e.path(jobFile)) {
		s.removeIncomplete(dir)
		return nil
	}
	// Without O_CREATE: a lock file that is made while the job is removed would keep
	// the directory from being removed.
	e.lock = flock.New(e.path(lockFile), flock.SetFlag(os.O_RDWR))
	locked, err := e.lock.TryLock()
	// An error: the job was removed meanwhile, or belongs to another user. Without
	// a record, it was removed between the first check and the lock.
	if err != nil || !locked || !exists(e.path(jobFile)) {
		e.unlock()
		return nil
	}
	if err := e.load(); err != nil {
		e.unlock()
		setAside(dir, err.Error(), s.logger)
		return nil
	}
	return e
}

// removeIncomplete removes a directory whose creation or removal was interrupted.
func (s *Spool) removeIncomplete(dir string) {
	info, err := os.Stat(dir)
	if err != nil || !exists(filepath.Join(dir, removedFile)) && time.Since(info.ModTime()) < maxCreation {
		return // another process may be creating the job
	}
	if err := os.RemoveAll(dir); err != nil {
		s.logger.Warn("could not remove an incomplete job from the spool", zap.String("path", dir), zap.Error(err))
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
