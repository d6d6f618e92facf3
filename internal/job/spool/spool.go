package spool

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"go.uber.org/zap"
)

const (
	ownerOnly     = 0o700
	ownerOnlyFile = 0o600

	jobPrefix  = "job-"
	lockFile   = "lock"
	jobFile    = "job"
	goneFile   = "gone"
	resultFile = "result"

	// unborn is how old a folder without a job must be before it is taken for
	// one whose process died while making it.
	unborn = time.Hour
)

// MaxAge is how long something is owed. A control plane that was not there for
// so long has forgotten the job.
const MaxAge = 7 * 24 * time.Hour

// Spool is a folder of jobs. Its methods may be called concurrently, and by
// several processes.
type Spool struct {
	dir    string
	logger *zap.Logger
}

// Open makes the folder if it is missing, readable by its owner alone. Others
// must not be able to write to it, since what is in it is reported as the
// agent's own word.
func Open(dir string, logger *zap.Logger) (*Spool, error) {
	if logger == nil {
		logger = zap.NewNop()
	}
	if err := os.MkdirAll(dir, ownerOnly); err != nil {
		return nil, fmt.Errorf("making the spool: %w", err)
	}
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("looking at the spool: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("the spool %s is not a folder", dir)
	}
	if mode := info.Mode().Perm(); writableByOthers(mode) {
		return nil, fmt.Errorf("the spool %s can be written to by others (its mode is %o): chmod 700 it, or name another folder", dir, mode)
	}
	return &Spool{dir: dir, logger: logger}, nil
}

// Begin makes room for a job, which is this process's until Close or Remove.
func (s *Spool) Begin(job Job) (*Entry, error) {
	dir, err := os.MkdirTemp(s.dir, jobPrefix+SafeName(job.ID)+"-*")
	if err != nil {
		return nil, fmt.Errorf("making room in the spool: %w", err)
	}
	e := &Entry{Job: job, dir: dir, logger: s.logger}
	if err := e.begin(); err != nil {
		e.unlock()
		_ = os.RemoveAll(dir) // as far as it goes; what is left is cleaned up as unborn
		return nil, fmt.Errorf("making room in the spool: %w", err)
	}
	return e, nil
}

// Owed claims one after the other what no living process has. The caller calls
// Close or Remove on each before it takes the next.
func (s *Spool) Owed() iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		folders, err := os.ReadDir(s.dir)
		if err != nil {
			s.logger.Error("the spool cannot be read", zap.Error(err))
			return
		}
		for _, folder := range folders {
			if !folder.IsDir() || !strings.HasPrefix(folder.Name(), jobPrefix) {
				continue
			}
			if e := s.claim(filepath.Join(s.dir, folder.Name())); e != nil && !yield(e) {
				return
			}
		}
	}
}

// claim gives the job in a folder if nobody has it and it can be read.
func (s *Spool) claim(dir string) *Entry {
	if !exists(filepath.Join(dir, jobFile)) {
		s.sweep(dir)
		return nil
	}
	e := &Entry{dir: dir, logger: s.logger, lock: flock.New(filepath.Join(dir, lockFile))}
	locked, err := e.lock.TryLock()
	if err != nil || !locked { // an error: it has gone meanwhile, or is not ours to open
		e.unlock()
		return nil
	}
	if !exists(filepath.Join(dir, jobFile)) { // removed by its process between the look and the lock
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

// sweep removes a folder whose removal, or making, was interrupted.
func (s *Spool) sweep(dir string) {
	info, err := os.Stat(dir)
	if err != nil || !exists(filepath.Join(dir, goneFile)) && time.Since(info.ModTime()) < unborn {
		return // another process may be about to fill it
	}
	if err := os.RemoveAll(dir); err != nil {
		s.logger.Warn("a folder in the spool cannot be removed", zap.Error(err))
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}
