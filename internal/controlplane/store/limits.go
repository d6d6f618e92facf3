package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"path/filepath"
	"sync"
	"time"

	"go.uber.org/zap"
)

// The limit of the store is divided between the streams, so that a job and its
// result always find room, however much is logged. Logs and meta-data have a limit of
// their own. What the state uses is limited where it grows: a new job is refused, and
// never a change of one that exists.
const (
	// diskShare is the part of the room on the disk that the store uses if no limit
	// is configured: what is free, and what the store has already.
	diskShareNum, diskShareDen = 3, 4
	// logShare and dataShare are the parts of the limit, in percent, that logs and
	// meta-data may use. The oldest are discarded beyond that.
	logShare, dataShare = 70, 5
	// admissionShare is the part of the limit, in percent, above which no new job is
	// stored: what is left of the share of the state is for the records of the jobs
	// and workers that exist.
	admissionShare = 22
	percent        = 100

	// MinMaxStore is the least Options.MaxStore.
	MinMaxStore = 16 << 20
)

// usageAge is how long a reading of what the state uses is relied on.
const usageAge = time.Second

// ErrLimit is returned where a new job is refused because jobs and workers use their
// share of the limit of the store. Nothing was stored, and everything else is stored as
// before. The error is a *LimitError.
var ErrLimit = errors.New("the limit of the store is reached")

// LimitError is the ErrLimit with what is used. Its text contains nothing secret, and is
// for the caller who submits a job.
type LimitError struct {
	// Used is how many bytes jobs and workers use, and Most above how many no new job is
	// stored. Limit is the limit of everything stored, in bytes.
	Used, Most, Limit int64
	// Configured is set where an operator has chosen the limit.
	Configured bool
}

// Error returns the limit, its value, and what to do.
func (e *LimitError) Error() string {
	limit := "three quarters of the room on its disk, since --max-store is not set"
	if e.Configured {
		limit = "set with --max-store"
	}
	return fmt.Sprintf("the store takes no new job: jobs and workers use %s, more than %d %% of its limit of %s (%s); "+
		"raise --max-store, shorten --retention, or delete jobs that have ended",
		inMiB(e.Used), admissionShare, inMiB(e.Limit), limit)
}

// Is reports whether target is ErrLimit.
func (*LimitError) Is(target error) bool { return target == ErrLimit }

// inMiB returns a number of bytes for people.
func inMiB(bytes int64) string { return fmt.Sprintf("%.1f MiB", float64(bytes)/mebibyte) }

const mebibyte = 1 << 20

// admission keeps what the state uses. Its methods may be called concurrently.
type admission struct {
	reading sync.Mutex // held during a reading; taken before mu

	mu      sync.Mutex
	read    time.Time
	used    int64 // as read, and what was stored since that reading began
	since   int64 // what was stored since the last reading began
	refuses bool  // the last new job was refused
}

// stored counts bytes that were stored since the last reading. Most of them replace
// others, so this is an upper bound.
func (a *admission) stored(bytes int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.used += int64(bytes)
	a.since += int64(bytes)
}

// begin notes that a reading begins.
func (a *admission) begin() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.since = 0
}

// end notes the result of a reading, and returns what is used.
func (a *admission) end(used uint64) int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.read, a.used = time.Now(), int64(min(used, math.MaxInt64/2))+a.since
	return a.used
}

// last returns what is used, and how old the last reading is.
func (a *admission) last() (used int64, age time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.used, time.Since(a.read)
}

// decided notes whether a new job is refused, and reports whether that is not what became
// of the last one.
func (a *admission) decided(refuses bool) (changed bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	changed = refuses != a.refuses
	a.refuses = refuses
	return changed
}

// Admit returns ErrLimit if the state leaves no room for one more job, as PutJob does then.
// The first refusal and the first job after it are logged. ErrUnavailable.
func (s *Store) Admit(ctx context.Context) error {
	limit := s.MaxStore()
	if limit == 0 {
		return nil
	}
	most := maxBytes(limit, admissionShare)
	used, err := s.usage(ctx, most)
	if err != nil {
		return err
	}
	refuses := used > most
	changed := s.admission.decided(refuses)
	if !refuses {
		if changed {
			s.opts.Logger.Info("new jobs are stored again", zap.Int64("used_bytes", used), zap.Int64("limit_bytes", most))
		}
		return nil
	}
	err = &LimitError{Used: used, Most: most, Limit: limit, Configured: s.opts.MaxStore > 0}
	if changed {
		s.opts.Logger.Warn("new jobs are refused", zap.Error(err), zap.Int64("used_bytes", used), zap.Int64("limit_bytes", most))
	}
	return err
}

// neverRead is an age that only a reading has that was never made.
const neverRead = 24 * 365 * time.Hour

// usage returns what the state uses. It reads that if a new job cannot be stored by the last
// reading, or if that is too old. No write waits for a reading, and no other new job for one
// that is only too old: the server reads only when there is nothing else to do, and waits
// for the batch that it stores.
func (s *Store) usage(ctx context.Context, most int64) (used int64, err error) {
	a := &s.admission
	used, age := a.last()
	switch enough := used <= most && age < neverRead; {
	case !enough:
		a.reading.Lock()
		if used, again := a.last(); used <= most && again < age {
			a.reading.Unlock()
			return used, nil // by the reading that this caller has waited for
		}
	case age <= usageAge, !a.reading.TryLock():
		return used, nil
	}
	defer a.reading.Unlock()
	a.begin()
	info, err := s.stateInfo(ctx, "reading the size of the state")
	if err != nil {
		return 0, err
	}
	return a.end(info.State.Bytes), nil
}

// MaxLogs returns the most bytes that all logs may use; 0 without a limit of our own.
func (s *Store) MaxLogs() int64 { return maxBytes(s.MaxStore(), logShare) }

// LogUsage returns how many bytes logs use, and the most that they may use; a limit
// of 0 is none. ErrUnavailable.
func (s *Store) LogUsage(ctx context.Context) (used, limit int64, err error) {
	info, err := s.info(ctx, s.logs, "reading the size of the logs")
	if err != nil {
		return 0, 0, err
	}
	return int64(min(info.State.Bytes, math.MaxInt64)), max(0, info.Config.MaxBytes), nil
}

// storeLimit returns the most bytes to store in dir: limit, or if that is 0 three
// quarters of what is free and what is stored already.
func storeLimit(dir string, limit int64) (int64, error) {
	if limit > 0 {
		return limit, nil
	}
	free, err := freeBytes(dir)
	if err != nil {
		return 0, fmt.Errorf("reading how much is free on the disk of the store in %s: %w", dir, err)
	}
	return max(MinMaxStore, (free+usedBytes(dir))/diskShareDen*diskShareNum), nil
}

// usedBytes returns the size of the files below dir. A file that is removed
// meanwhile does not count.
func usedBytes(dir string) (used int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil //nolint:nilerr // it was removed meanwhile
		}
		if info, err := entry.Info(); err == nil {
			used += info.Size()
		}
		return nil
	})
	return used
}

// maxBytes returns the share of a limit.
func maxBytes(limit, share int64) int64 { return limit / percent * share }
