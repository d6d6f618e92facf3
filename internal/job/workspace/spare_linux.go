package workspace

import (
	"errors"
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

// spares are directories for later jobs: to make one takes longer than to move one, and on
// ext4 the more so the more files were removed a moment before, of which there is one for each
// job if directories are removed. Some are made ahead of the jobs, as many as began together,
// and none before the first job; others are those that a job has left as it got them. Methods
// may be called concurrently, and on nil, which holds nothing.
type spares struct {
	dir string // in the claim; made with the first spare directory

	mu     sync.Mutex
	ready  []spare
	used   map[string]state // of the directories that jobs have, as they got them, by path
	taken  int              // since the last refill
	named  int              // spare directories so far
	timer  *time.Timer      // of the next refill; nil if none is due
	closed bool
	refill sync.WaitGroup // one that is due or runs
}

// spare is a directory as it was made, or as a job has left it.
type spare struct {
	path  string
	state state
}

// state is what changes with anything that is done to a directory, or in it. The time is
// enough unless it is done in the moment in which the state is read: on Linux before 6.13 the
// clock of files has steps of some milliseconds.
type state struct {
	inode, links uint64
	mode, owner  uint32
	changed      unix.Timespec
	attributes   int // bytes of the names of extended ones, of which access lists are some
}

func newSpares(claim string) *spares {
	return &spares{dir: filepath.Join(claim, sparesDir), used: map[string]state{}}
}

// moveTo moves a spare directory to a path where nothing is. It reports false if it cannot:
// then the caller makes a directory.
func (s *spares) moveTo(path string) bool {
	one, ok := s.take()
	if !ok {
		return false
	}
	if now, err := stateOf(one.path); err != nil || now != one.state { // a job found it: removed with the claim
		return false
	}
	return unix.Renameat2(unix.AT_FDCWD, one.path, unix.AT_FDCWD, path, unix.RENAME_NOREPLACE) == nil
}

// use notes that a job gets a directory. The caller calls takeBack or forget later.
func (s *spares) use(path string) {
	if s == nil {
		return
	}
	now, err := stateOf(path)
	if err != nil {
		return // it is not taken back
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.used[path] = now
}

// forget notes that a directory is not taken back.
func (s *spares) forget(path string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.used, path)
}

// takeBack makes the directory of a job that has ended a spare one, if the job has left it as
// it got it. It reports false if not: then the caller removes what is at the path, if there
// is anything.
func (s *spares) takeBack(path string) bool {
	to, before, ok := s.nameFor(path)
	if !ok {
		return false
	}
	if now, err := stateOf(path); err != nil || now != before {
		return false
	}
	if unix.Renameat2(unix.AT_FDCWD, path, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE) != nil {
		return false
	}
	one, err := spareAt(to)
	before.changed = one.state.changed // by the move
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && one.state == before && isEmpty(to) && len(s.ready) < maxSpares && !s.closed {
		s.ready = append(s.ready, one)
	} // else it is removed with the claim
	return true
}

// nameFor returns the path for a directory that is taken back, and its state before the job.
// It reports false if it is not taken back.
func (s *spares) nameFor(path string) (to string, before state, ok bool) {
	if s == nil {
		return "", before, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before, ok = s.used[path]
	delete(s.used, path)
	return s.nextPath(), before, ok && len(s.ready) < maxSpares && !s.closed
}

// nextPath returns a path for another spare directory. The caller holds the lock.
func (s *spares) nextPath() string {
	s.named++
	return filepath.Join(s.dir, strconv.Itoa(s.named))
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

// fill makes spare directories until there are as many as were taken since it was called last.
func (s *spares) fill() {
	defer s.refill.Done()
	s.mu.Lock()
	defer s.mu.Unlock()
	want := min(s.taken, maxSpares)
	s.taken, s.timer = 0, nil
	for len(s.ready) < want && !s.closed {
		path := s.nextPath()
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

// spareAt returns the spare directory at a path.
func spareAt(path string) (spare, error) {
	now, err := stateOf(path)
	return spare{path, now}, err
}

// stateOf returns the state of the directory at a path.
func stateOf(path string) (state, error) {
	var status unix.Stat_t
	if err := unix.Lstat(path, &status); err != nil {
		return state{}, err //nolint:wrapcheck // it is not reported
	}
	attributes, err := unix.Llistxattr(path, nil)
	if err != nil && !errors.Is(err, unix.ENOTSUP) {
		return state{}, err //nolint:wrapcheck // as above
	}
	return state{
		inode: status.Ino, links: uint64(status.Nlink), mode: status.Mode, owner: status.Uid, //nolint:unconvert // depends on the system
		changed: status.Ctim, attributes: attributes,
	}, nil
}

// isEmpty reports whether a directory has nothing in it.
func isEmpty(path string) bool {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return false
	}
	defer func() { _ = unix.Close(fd) }() // only read
	buf := make([]byte, 512)              // room for the first entries, which are the directory and its parent
	for {
		n, err := unix.ReadDirent(fd, buf)
		if err != nil || n <= 0 {
			return err == nil
		}
		if _, count, _ := unix.ParseDirent(buf[:n], 1, nil); count > 0 { // not those two
			return false
		}
	}
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
