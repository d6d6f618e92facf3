package dispatch

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/switchyard-ci/switchyard/internal/controlplane/store"
)

const (
	// minBackoff is the wait after the first failure of a record. Each further one
	// doubles it, up to maxBackoff.
	minBackoff = time.Second
	maxBackoff = 5 * time.Minute
	// maxUnansweredBackoff bounds the wait if the store did not respond, or takes no new
	// job, which says nothing of the record.
	maxUnansweredBackoff = 10 * time.Second
	// forgetAfter is how long a failure is remembered after the record was to be
	// tried again: nothing has to be done to the record any more.
	forgetAfter = 2 * maxBackoff
)

// failures remembers the records whose change could not be stored, so that each is
// logged once, tried again ever more rarely, and passed by meanwhile. A record is a
// job or a worker, by its ID. The methods may be called concurrently.
type failures struct {
	log *zap.Logger

	mu    sync.Mutex
	byID  map[string]*failure
	total int // failed attempts since the start
}

type failure struct {
	attempts int
	wait     time.Duration
	until    time.Time // when it may be tried again
	err      error     // of the last attempt
}

func newFailures(log *zap.Logger) *failures {
	return &failures{log: log, byID: map[string]*failure{}}
}

// due reports whether a record may be tried: it did not fail, or its wait is over.
func (f *failures) due(id string, now time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	failed := f.byID[id]
	return failed == nil || !now.Before(failed.until)
}

// failed counts a failed attempt and returns when the record may be tried again. It
// logs the first one; fields name the record and what was attempted.
func (f *failures) failed(id string, err error, now time.Time, fields ...zap.Field) (until time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.total++
	before := f.byID[id]
	if before == nil {
		before = &failure{}
		f.byID[id] = before
		f.log.Warn("failed to change a record; will retry", append(fields, zap.Error(err))...)
	} else {
		f.log.Debug("failed to change a record again", append(fields, zap.Error(err), zap.Int("attempts", before.attempts+1))...)
	}
	limit := maxBackoff
	if errors.Is(err, store.ErrUnavailable) || errors.Is(err, store.ErrLimit) {
		limit = maxUnansweredBackoff
	}
	if _, ok := errors.AsType[*store.OutageError](err); ok {
		limit = minBackoff // the store was not asked, so the attempt has cost nothing
	}
	before.wait = min(limit, max(minBackoff, 2*before.wait))
	before.attempts++
	before.err, before.until = err, now.Add(before.wait)
	return before.until
}

// succeeded forgets the failures of a record, and logs that they are over.
func (f *failures) succeeded(id string, fields ...zap.Field) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if before := f.byID[id]; before != nil {
		delete(f.byID, id)
		f.log.Info("changed a record after failed attempts", append(fields, zap.Int("attempts", before.attempts))...)
	}
}

// counts returns how many records fail, and how many attempts failed since the start.
func (f *failures) counts() (failing, total int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.byID), f.total
}

// tidy forgets failures of records that nothing has to be done to any more.
func (f *failures) tidy(now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, failed := range f.byID {
		if now.Sub(failed.until) > forgetAfter {
			delete(f.byID, id)
		}
	}
}

// reason returns why a record was not changed, for people; empty if it did not
// fail.
func (f *failures) reason(id string, now time.Time) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	failed := f.byID[id]
	if failed == nil {
		return ""
	}
	wait := max(0, failed.until.Sub(now)).Round(time.Second)
	return fmt.Sprintf("%d attempts to assign it failed, the next one is in %s: %v", failed.attempts, wait, failed.err)
}
