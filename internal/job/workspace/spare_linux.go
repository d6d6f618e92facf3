package workspace

import (
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxSpares is the most spare directories.
	maxSpares = 64
	// refillDelay is the time from the use of a spare directory until others are made, so
	// that jobs that begin together do not wait for it.
	refillDelay = 200 * time.Millisecond
)

// spares are directories that no job has used, made ahead of the jobs that get them: to make
// one takes longer than to move one, and on ext4 the more so the more files were removed a
// moment before. There are as many as jobs began together, and none before the first job.
// Methods may be called concurrently, and on nil, which holds nothing.
type spares struct {
	dir string // in the claim; made with the first spare directory

	mu     sync.Mutex
	ready  []spare
	taken  int // since the last refill
	made   int
	timer  *time.Timer // of the next refill; nil if none is due
	closed bool
	refill sync.WaitGroup // one that is due or runs
}

// spare is a directory as it was made. What is done to it or in it changes its time.
type spare struct {
	path    string
	inode   uint64
	changed unix.Timespec
}

func newSpares(claim string) *spares { return &spares{dir: filepath.Join(claim, sparesDir)} }

// moveTo moves a spare directory to a path where nothing is. It reports false if it cannot:
// then the caller makes a directory.
func (s *spares) moveTo(path string) bool {
	one, ok := s.take()
	if !ok {
		return false
	}
	if now, err := spareAt(one.path); err != nil || now != one { // a job found it: removed with the claim
		return false
	}
	return unix.Renameat2(unix.AT_FDCWD, one.path, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE) == nil
}

// take takes a spare directory, if there is one, and sees to it that others are made.
func (s *spares) take() (one spare, ok bool) {
	if s == nil {
		return one, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	if s.timer == nil && !s.closed {
		s.refill.Add(1)
		s.timer = time.AfterFunc(refillDelay, s.fill)
	}
	n := len(s.ready)
	if n == 0 {
		return one, false
	}
	one, s.ready = s.ready[n-1], s.ready[:n-1]
	return one, true
}

// fill makes as many spare directories as were taken since it was called last.
func (s *spares) fill() {
	defer s.refill.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	want := min(s.taken, maxSpares)
	s.taken, s.timer = 0, nil
	for len(s.ready) < want && !s.closed {
		s.made++
		path := filepath.Join(s.dir, strconv.Itoa(s.made))
		s.mu.Unlock() // a job need not wait
		one, err := makeSpare(path)
		s.mu.Lock()
		if err != nil {
			return // jobs make their own; the next refill tries again
		}
		s.ready = append(s.ready, one)
	}
}

func makeSpare(path string) (spare, error) {
	if err := os.MkdirAll(filepath.Dir(path), ownerOnly); err != nil {
		return spare{}, err //nolint:wrapcheck // it is not reported
	}
	if err := os.Mkdir(path, ownerOnly); err != nil {
		return spare{}, err //nolint:wrapcheck // as above
	}
	return spareAt(path)
}

// spareAt returns what is at a path now.
func spareAt(path string) (spare, error) {
	var status unix.Stat_t
	if err := unix.Lstat(path, &status); err != nil {
		return spare{}, err //nolint:wrapcheck // as above
	}
	return spare{path: path, inode: status.Ino, changed: status.Ctim}, nil
}

// close ends the making of spare directories, which are removed with the claim.
func (s *spares) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	s.closed = true
	if s.timer != nil && s.timer.Stop() {
		s.refill.Done()
	}
	s.mu.Unlock()
	s.refill.Wait()
}
