package spool

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
	"go.uber.org/zap"
)

const (
	allLock     = "lock"   // of the whole spool
	agentPrefix = "agent-" // of the lock of a process
	jobPrefix   = "job-"
	logPrefix   = "log-"
	ownerLen    = 12 // random characters of an owner
)

// jobName returns the name of a job's file.
func jobName(owner, name string) string { return jobPrefix + owner + "-" + name }

// parseJobName parses the name of a job's file.
func parseJobName(file string) (owner, name string, ok bool) {
	rest, ok := strings.CutPrefix(file, jobPrefix)
	if !ok {
		return "", "", false
	}
	owner, name, ok = strings.Cut(rest, "-")
	if !ok || owner == "" || name == "" {
		return "", "", false
	}
	return owner, name, true
}

// enter makes this process an owner of jobs.
func (s *Spool) enter() error {
	return s.exclusively(func() error {
		s.owner = strings.ToLower(rand.Text()[:ownerLen])
		s.lock = flock.New(s.agentPath(s.owner), flock.SetPermissions(ownerOnlyFile))
		locked, err := s.lock.TryLock()
		if err == nil && !locked {
			err = errors.New("another process has the lock")
		}
		return err
	})
}

// leave ends the ownership of this process.
func (s *Spool) leave() error {
	return s.exclusively(func() error { return endOwner(s.lock, s.agentPath(s.owner)) })
}

// endOwner removes the lock of a process, which the caller holds.
func endOwner(lock *flock.Flock, path string) error {
	removeErr := os.Remove(path)
	closeErr := lock.Close()
	if removeErr != nil { // Windows removes no open file
		removeErr = os.Remove(path)
	}
	if errors.Is(removeErr, fs.ErrNotExist) {
		removeErr = nil
	}
	return errors.Join(removeErr, closeErr)
}

// exclusively calls do while no other process does the same.
func (s *Spool) exclusively(do func() error) (err error) {
	all := flock.New(filepath.Join(s.dir, allLock), flock.SetPermissions(ownerOnlyFile))
	if err := all.Lock(); err != nil {
		return err //nolint:wrapcheck // it names the file
	}
	defer func() { err = errors.Join(err, all.Close()) }()
	return do()
}

func (s *Spool) agentPath(owner string) string { return filepath.Join(s.dir, agentPrefix+owner) }

// adopt makes this process the owner of the jobs whose processes have ended, also of
// those that an earlier version left, and removes logs without a job.
func (s *Spool) adopt() error {
	if files, err := os.ReadDir(s.dir); err == nil && !slices.ContainsFunc(files, s.isOfOther) && !slices.ContainsFunc(files, isVersion1) {
		return nil // no other process, as usual
	}
	return s.exclusively(func() error {
		files, err := os.ReadDir(s.dir)
		if err != nil {
			return err //nolint:wrapcheck // it names the directory
		}
		var errs []error
		for owner, jobs := range s.others(files) {
			errs = append(errs, s.adoptFrom(owner, jobs))
		}
		return errors.Join(append(errs, s.convert(files), s.removeOrphans(files))...)
	})
}

// isOfOther reports whether a file is the lock or a job of another process.
func (s *Spool) isOfOther(file fs.DirEntry) bool {
	owner := ownerOf(file)
	return owner != "" && owner != s.owner
}

// ownerOf returns the process that a file of the spool belongs to, or "". A directory
// belongs to none.
func ownerOf(file fs.DirEntry) string {
	if file.IsDir() {
		return ""
	}
	if owner, ok := strings.CutPrefix(file.Name(), agentPrefix); ok {
		return owner
	}
	owner, _, _ := parseJobName(file.Name())
	return owner
}

// others returns the other processes that are named in a directory, with the names of
// their jobs.
func (s *Spool) others(files []fs.DirEntry) map[string][]string {
	found := map[string][]string{}
	for _, file := range files {
		if !s.isOfOther(file) {
			continue
		}
		jobs := found[ownerOf(file)]
		if _, name, ok := parseJobName(file.Name()); ok {
			jobs = append(jobs, name)
		}
		found[ownerOf(file)] = jobs
	}
	return found
}

// adoptFrom takes over the jobs of a process if it has ended. The caller holds the lock
// of the spool.
func (s *Spool) adoptFrom(owner string, jobs []string) error {
	// Without O_CREATE: the lock is made and removed by the process alone.
	lock := flock.New(s.agentPath(owner), flock.SetFlag(os.O_RDWR))
	locked, err := lock.TryLock()
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist): // of another user, say
		return fmt.Errorf("the lock of another agent: %w", err)
	case err == nil && !locked:
		return nil // it lives
	}
	var errs []error
	for _, name := range jobs {
		errs = append(errs, os.Rename(filepath.Join(s.dir, jobName(owner, name)), filepath.Join(s.dir, jobName(s.owner, name))))
	}
	return errors.Join(append(errs, endOwner(lock, s.agentPath(owner)))...)
}

// removeOrphans removes logs whose job was removed: its process was killed before it
// could remove the log. The caller holds the lock of the spool, so no job is renamed.
func (s *Spool) removeOrphans(listed []fs.DirEntry) error {
	// A job's file is made before the log, and removed before it, so a job whose log is
	// in the first list is in the second one, unless it was removed.
	now, err := os.ReadDir(s.dir)
	if err != nil {
		return err //nolint:wrapcheck // it names the directory
	}
	jobs := map[string]bool{}
	for _, file := range now {
		if _, name, ok := parseJobName(file.Name()); ok {
			jobs[name] = true
		}
	}
	for _, file := range listed {
		if name, ok := strings.CutPrefix(file.Name(), logPrefix); ok && !jobs[name] {
			s.logger.Debug("removing the log of a job that was removed", zap.String("file", file.Name()))
			if err := os.RemoveAll(filepath.Join(s.dir, file.Name())); err != nil {
				return err //nolint:wrapcheck // it names the directory
			}
		}
	}
	return nil
}
