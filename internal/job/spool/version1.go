package spool

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"go.uber.org/zap"
)

// The format before this one had a directory for each job, job-ID-RANDOM, with a lock,
// the records job and result, and a file for each chunk. What an agent of that version
// left is converted: the directory becomes that of a long log.
const (
	lockFile1   = "lock"
	jobFile1    = "job"
	resultFile1 = "result"
	header1     = "switchyard spool 1 "
	// maxCreation1 is the longest time that an agent takes to write the record of a job.
	maxCreation1 = time.Minute
)

// isVersion1 reports whether a file of the spool is a job in the earlier format.
func isVersion1(file fs.DirEntry) bool {
	return file.IsDir() && strings.HasPrefix(file.Name(), jobPrefix)
}

// convert converts the jobs in the earlier format whose processes have ended. The
// caller holds the lock of the spool.
func (s *Spool) convert(listed []fs.DirEntry) error {
	var errs []error
	for _, file := range listed {
		if isVersion1(file) {
			errs = append(errs, s.convertJob(strings.TrimPrefix(file.Name(), jobPrefix)))
		}
	}
	return errors.Join(errs...)
}

// convertJob converts one job. After a crash it is repeated: until the directory has its
// new name, no process claims the job.
func (s *Spool) convertJob(name string) error {
	dir := filepath.Join(s.dir, jobPrefix+name)
	info, err := os.Lstat(filepath.Join(dir, jobFile1))
	if err != nil {
		return removeIncomplete1(dir)
	}
	// Without O_CREATE, as the earlier version does: the job may just be removed.
	lock := flock.New(filepath.Join(dir, lockFile1), flock.SetFlag(os.O_RDWR))
	locked, err := lock.TryLock()
	defer func() { _ = lock.Close() }() // the system releases it in any case
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("the lock of a job in the earlier format: %w", err)
	}
	if !locked || !s.hold(name) {
		return nil // its agent lives
	}
	defer s.release(name)
	job, result, err := s.read1(dir, info.Size())
	if err != nil {
		_ = lock.Close() // Windows renames no directory with an open file
		setAside(dir, err.Error(), s.logger)
		return nil
	}
	e := &Entry{Job: job, spool: s, name: name}
	if err := e.write1(result); err != nil {
		return err
	}
	_ = lock.Close() // as above
	if err := os.Rename(dir, e.logDir()); err != nil {
		return errors.Join(fmt.Errorf("converting a job in the spool: %w", err), os.Remove(e.path()))
	}
	s.logger.Info("converted a job in the spool that an earlier version left", zap.String("job_id", job.ID))
	return nil
}

// write1 writes the file of a job that is converted, and closes it. After an error there
// is no file.
func (e *Entry) write1(result *Result) (err error) {
	e.file, err = os.OpenFile(e.path(), os.O_CREATE|os.O_TRUNC|os.O_RDWR, ownerOnlyFile)
	if err != nil {
		return fmt.Errorf("converting a job in the spool: %w", err)
	}
	err = e.fill()
	if err == nil && result != nil {
		err = e.SetResult(*result)
	}
	if err == nil {
		err = e.Sync()
	}
	if err != nil {
		return errors.Join(fmt.Errorf("converting a job in the spool: %w", err), removeFile(e.file))
	}
	if err := e.file.Close(); err != nil {
		return errors.Join(fmt.Errorf("converting a job in the spool: %w", err), os.Remove(e.path()))
	}
	return nil
}

// read1 reads the records of a job in the earlier format. A result that is damaged is
// set aside, and one that is missing or empty is nil: the end of the job was not seen.
func (s *Spool) read1(dir string, size int64) (job Job, result *Result, err error) {
	if size > maxRecord {
		return job, nil, fmt.Errorf("%w: more than %d bytes", errDamaged, maxRecord)
	}
	if job, err = readRecord1[Job](filepath.Join(dir, jobFile1)); err != nil {
		return job, nil, err
	}
	path := filepath.Join(dir, resultFile1)
	if info, err := os.Lstat(path); err != nil || info.Size() == 0 {
		return job, nil, nil //nolint:nilerr // there is none
	}
	r, err := readRecord1[Result](path)
	if err != nil {
		setAside(path, err.Error(), s.logger)
		return job, nil, nil
	}
	return job, &r, nil
}

// readRecord1 reads a record in the earlier format: a line with a checksum, and a line
// of JSON. It returns an error that wraps errDamaged, and does not quote the content.
func readRecord1[T any](path string) (record T, err error) {
	data, err := os.ReadFile(path) //nolint:gosec // the directory is ours
	if err != nil {
		return record, fmt.Errorf("reading the spool: %w", err)
	}
	first, body, ok := bytes.Cut(data, []byte("\n"))
	body, whole := bytes.CutSuffix(body, []byte("\n"))
	if !ok || !whole || string(first) != fmt.Sprintf("%s%08x", header1, crc32.Checksum(body, castagnoli)) {
		return record, fmt.Errorf("%w: truncated, or a checksum mismatch", errDamaged)
	}
	if json.Unmarshal(body, &record) != nil {
		return record, fmt.Errorf("%w: invalid JSON", errDamaged)
	}
	return record, nil
}

// removeIncomplete1 removes a directory without a record of its job, unless an agent may
// be about to write it.
func removeIncomplete1(dir string) error {
	info, err := os.Stat(dir)
	if err != nil || time.Since(info.ModTime()) < maxCreation1 {
		return nil //nolint:nilerr // removed since it was listed
	}
	return os.RemoveAll(dir) //nolint:wrapcheck // it names the directory
}
